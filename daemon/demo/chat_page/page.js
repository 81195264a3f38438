/* The chat page of the demo: one of a few people, their rooms, and what is said there. */

import { card } from "./card.js";
import { element, markdown } from "./markdown.js";

const EXAMPLES = ["도움말", "착신전한", "tgday", "홍길동", "지금 통화 중", "오늘 통화", "취소"];

const [person, room, log, trouble, examples, composer, text, mention] = [
  "person", "room", "log", "trouble", "examples", "composer", "text", "mention",
].map((id) => document.getElementById(id));
const clock = new Intl.DateTimeFormat("ko-KR", { hour: "numeric", minute: "2-digit" });
const shown = new Map();
let world = { bot: "", people: [] };

async function ask(path, body) {
  const options = body && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  try {
    const response = await fetch(path, options);
    if (!response.ok) throw new Error(String(response.status));
    trouble.hidden = true;
    return await response.json();
  } catch {
    trouble.textContent = "데모가 응답하지 않습니다. 터미널에서 아직 실행 중인지 보세요.";
    trouble.hidden = false;
    return null;
  }
}

function bubble(message) {
  const said = message.card
    ? card(message.card, (inputs) => ask(`/chat/actions/${message.id}`, { person: person.value, inputs }))
    : element("div", ...(message.markdown ? markdown(message.markdown) : [element("p", message.text)]));
  said.className = message.card ? "said card" : "said";
  const by = element("p", `${message.author} · ${clock.format(message.created * 1000)}`);
  by.className = "by";
  const item = element("div", by, said);
  item.className = message.personId === person.value ? "message mine" : "message";
  const parent = shown.get(message.parentId);
  if (parent) {
    item.classList.add("reply");
    item.dataset.parent = `↳ ${parent.author}: ${parent.text}`;
  }
  return item;
}

async function refresh() {
  const asked = room.value;
  const answer = await ask(`/chat/rooms/${asked}`);
  if (!answer || asked !== room.value) return;
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  for (const message of answer.messages) {
    if (shown.has(message.id)) continue;
    shown.set(message.id, message);
    log.append(bubble(message));
  }
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

function enter() {
  shown.clear();
  log.replaceChildren();
  mention.hidden = room.selectedOptions[0]?.dataset.type !== "group";
  void refresh();
}

function become() {
  const me = world.people.find((one) => one.id === person.value);
  history.replaceState(null, "", `#${encodeURIComponent(me.email)}`);
  room.replaceChildren(
    ...me.rooms.map((one) => {
      const option = new Option(one.type === "group" ? one.title : `${world.bot}와 둘이`, one.id);
      option.dataset.type = one.type;
      return option;
    }),
  );
  enter();
}

async function say(words) {
  log.scrollTop = log.scrollHeight;
  const isMeant = !mention.hidden && mention.querySelector("input").checked;
  await ask(`/chat/rooms/${room.value}`, { person: person.value, text: words, mention: isMeant });
}

async function start() {
  const answer = await ask("/chat/people");
  if (!answer) return;
  world = answer;
  mention.querySelector("span").textContent = `@${world.bot}`;
  person.replaceChildren(...world.people.map((one) => new Option(`${one.name} (${one.about})`, one.id)));
  const before = world.people.find((one) => one.email === decodeURIComponent(location.hash.slice(1)));
  if (before) person.value = before.id;
  become();
  const events = new EventSource("/chat/events");
  events.onopen = () => void refresh();
  events.onmessage = (event) => event.data === room.value && void refresh();
}

person.addEventListener("change", become);
room.addEventListener("change", enter);
composer.addEventListener("submit", (event) => {
  event.preventDefault();
  if (text.value.trim() === "") return;
  void say(text.value);
  text.value = "";
});
examples.append(
  ...EXAMPLES.map((words) => {
    const button = element("button", words);
    button.type = "button";
    button.addEventListener("click", () => void say(words));
    return button;
  }),
);
void start();
