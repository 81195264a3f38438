/* Markdown as elements, as far as a chat shows it. Nothing of a text ever becomes markup. */

const INLINE =
  /\\([\\`*_{}[\]()<>#+\-.!|~&])|`([^`]+)`|\*\*(.+?)\*\*|__(.+?)__|\*([^*\s](?:[^*]*[^*\s])?)\*|(?<![\p{L}\d])_([^_\s](?:[^_]*[^_\s])?)_(?![\p{L}\d])|\[((?:\\.|[^\]\\])+)\]\((https?:\/\/[^\s()]+)\)|\n/gsu;

/** An element of that name with these inside. */
export function element(name, ...inside) {
  const made = document.createElement(name);
  made.append(...inside);
  return made;
}

function link(text, address) {
  const made = element("a", ...inline(text));
  made.href = address;
  made.target = "_blank";
  made.rel = "noreferrer";
  return made;
}

/** The nodes of one paragraph. */
export function inline(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    nodes.push(text.slice(end, found.index));
    end = found.index + found[0].length;
    const [, escaped, code, strong, strongToo, em, emToo, title, address] = found;
    if (escaped !== undefined) nodes.push(escaped);
    else if (code !== undefined) nodes.push(element("code", code));
    else if (strong ?? strongToo) nodes.push(element("strong", ...inline(strong ?? strongToo)));
    else if (em ?? emToo) nodes.push(element("em", ...inline(em ?? emToo)));
    else if (title !== undefined) nodes.push(link(title, address));
    else nodes.push(element("br"));
  }
  return [...nodes, text.slice(end)];
}

const ITEM = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/;

function list(lines) {
  const first = ITEM.exec(lines[0])[1];
  const made = element(first === undefined ? "ul" : "ol");
  if (first !== undefined) made.start = Number(first);
  for (const line of lines) {
    const found = ITEM.exec(line);
    if (found) made.append(element("li", ...inline(found[2])));
    else made.lastChild.append(element("br"), ...inline(line.trim()));
  }
  return made;
}

function* blocks(text) {
  let open = [];
  let fence = false;
  for (const line of text.split("\n")) {
    const isFence = line.startsWith("```");
    const begins = ITEM.test(line) && open.length > 0 && !ITEM.test(open[0]);
    if (!fence && (isFence || line.trim() === "" || begins)) {
      if (open.length) yield open;
      open = isFence || begins ? [line] : [];
      fence = isFence;
    } else if (fence && isFence) {
      yield open;
      open = [];
      fence = false;
    } else open.push(line);
  }
  if (open.length) yield open;
}

/** The elements of a whole text. */
export function markdown(text) {
  return [...blocks(text)].map((lines) => {
    if (lines[0].startsWith("```")) return element("pre", lines.slice(1).join("\n"));
    if (ITEM.test(lines[0])) return list(lines);
    const heading = /^#{1,6}\s+(.*)$/.exec(lines[0]);
    if (heading && lines.length === 1) return element("p", element("strong", ...inline(heading[1])));
    if (lines.every((line) => line.startsWith(">")))
      return element("blockquote", ...inline(lines.map((line) => line.replace(/^>\s?/, "")).join("\n")));
    return element("p", ...inline(lines.join("\n")));
  });
}
