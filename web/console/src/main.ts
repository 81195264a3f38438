import { mount } from "svelte";

import App from "./App.svelte";
import { settings } from "./shell/settings.svelte";
import "./styles/page.css";

const target = document.getElementById("app");
if (target === null) throw new Error("index.html has no #app");

settings.show();
mount(App, { target });
