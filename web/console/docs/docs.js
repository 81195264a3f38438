window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  // No third party is asked whether the document is valid.
  validatorUrl: null,
});
