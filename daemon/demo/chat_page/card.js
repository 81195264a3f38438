/* Adaptive cards as forms: texts, inputs and buttons that send them. */

import { element, markdown } from "./markdown.js";

const KINDS = { "Input.Number": "number", "Input.Date": "date", "Input.Text": "text" };

function field(input) {
  let control;
  if (input.type === "Input.ChoiceSet") {
    const blank = input.value ? [] : [new Option(input.placeholder ?? "고르세요", "")];
    control = element("select", ...blank, ...input.choices.map((one) => new Option(one.title, one.value)));
  } else if (input.isMultiline) control = element("textarea");
  else {
    control = element("input");
    control.type = KINDS[input.type];
    if (control.type === "number") control.step = "any";
  }
  control.name = input.id;
  control.value = input.value ?? "";
  control.required = input.isRequired ?? false;
  if (input.placeholder && "placeholder" in control) control.placeholder = input.placeholder;
  const title = element("span", input.label);
  if (control.required) title.className = "needed";
  const wrong = element("span");
  wrong.className = "wrong";
  wrong.setAttribute("role", "alert");
  control.addEventListener("invalid", (event) => {
    event.preventDefault();
    wrong.textContent = input.errorMessage ?? "";
  });
  control.addEventListener("input", () => (wrong.textContent = ""));
  return element("label", title, control, wrong);
}

function buttons(actions) {
  const made = element(
    "div",
    ...actions.map((action) => {
      const button = element("button", action.title);
      button.value = JSON.stringify(action.data ?? {});
      return button;
    }),
  );
  made.className = "actions";
  return made;
}

function part(one) {
  if (one.type === "TextBlock") return markdown(one.text);
  if (one.type === "ActionSet") return [buttons(one.actions)];
  return one.type.startsWith("Input.") ? [field(one)] : [];
}

/** The card's form; `send` is given what comes back of it. */
export function card(content, send) {
  const form = element("form", ...content.body.flatMap(part), ...(content.actions ? [buttons(content.actions)] : []));
  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!form.checkValidity()) return form.querySelector(":invalid").focus();
    for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-pressed");
    event.submitter.setAttribute("aria-pressed", "true");
    send({ ...Object.fromEntries(new FormData(form)), ...JSON.parse(event.submitter.value) });
  });
  return form;
}
