// Renders openapi.json as a page to read and search. It asks for nothing else, sends nothing, and builds elements
// rather than markup, so that no text of the document is ever read as such.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);

  // An element: its name with classes ("p.soft"), its attributes, what is in it.
  function el(name, attributes = {}, ...inside) {
    const [tag, ...classes] = name.split(".");
    const made = document.createElement(tag);
    if (classes.length) made.className = classes.join(" ");
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined && value !== false) made.setAttribute(key, value);
    made.append(...inside.flat(9).filter((x) => x !== undefined && x !== null && x !== false && x !== ""));
    return made;
  }
  const code = (text) => el("code", {}, text);
  const json = (value) => el("pre", { tabindex: "0" }, el("code", {}, JSON.stringify(value, null, 2)));
  const link = (id, text) => el("a", { href: `#${id}` }, text);

  let api;
  const nameOf = (reference) => reference.split("/").pop();
  function follow(what) {
    while (what && what.$ref) what = what.$ref.slice(2).split("/").reduce((at, part) => at[part], api);
    return what;
  }

  // ---- schemas

  function type(schema) {
    if (!schema) return "any";
    if (schema.$ref) return link(`schema-${nameOf(schema.$ref)}`, nameOf(schema.$ref));
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    for (const key of ["anyOf", "oneOf"])
      if (schema[key]) return schema[key].flatMap((one, i) => (i ? [" | ", type(one)] : [type(one)]));
    if (schema.allOf) return type(schema.allOf[0]);
    const kinds = [].concat(schema.type || "any");
    return kinds.flatMap((kind, i) => [i ? " | " : "", kind === "array" ? [type(schema.items), "[]"] : kind]);
  }

  function limits(schema) {
    const told = [];
    if (schema.enum) told.push(`one of ${schema.enum.join(", ")}`);
    if (schema.minimum !== undefined && schema.maximum !== undefined) told.push(`${schema.minimum} to ${schema.maximum}`);
    else if (schema.minimum !== undefined) told.push(`${schema.minimum} or more`);
    else if (schema.maximum !== undefined) told.push(`${schema.maximum} at most`);
    if (schema.pattern && schema.pattern.includes("40")) told.push("40 or 64 hex digits");
    else if (schema.pattern) told.push(`matches ${schema.pattern}`);
    if (schema.minLength) told.push(`${schema.minLength} characters or more`);
    if (schema.maxLength && schema.maxLength < 65536) told.push(`${schema.maxLength} bytes at most`);
    if (schema.maxItems && schema.maxItems < 100000) told.push(`${schema.maxItems} items at most`);
    if (schema.default !== undefined && schema.default !== "") told.push(`default ${JSON.stringify(schema.default)}`);
    return told.length ? el("span.limits", {}, told.join("; ")) : null;
  }

  function table(heads, rows) {
    return el("div.wide", {}, el("table", {},
      el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, rows)));
  }

  function row(name, schema, description, must) {
    return el("tr", {},
      el("td", {}, code(name), must && el("span.must", {}, must)),
      el("td.type", {}, type(schema)),
      el("td", {}, description || schema.description, limits(schema)));
  }

  function fields(schema, answered) {
    const members = Object.entries(schema.properties || {});
    if (!members.length) return null;
    const required = new Set(schema.required || []);
    return table(["Field", "Type", "What it is"], members.map(([name, one]) =>
      row(name, one, undefined, answered ? !required.has(name) && "perhaps" : required.has(name) && "required")));
  }

  function shape(schema, answered) {
    const whole = follow(schema);
    return [
      schema.$ref && el("p.about", {}, "Schema ", type(schema)),
      fields(whole, answered) || (schema.$ref ? null : el("p.about", {}, "A value of type ", type(schema))),
    ];
  }

  // ---- an operation

  const idOf = (operation) => `op-${operation.operationId}`;
  const tone = (status) => (status < 400 ? ".ok" : status < 500 ? ".bad" : ".fault");

  function curl(method, path, operation) {
    const quoted = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;
    let target = path;
    const query = [];
    for (const told of (operation.parameters || []).map(follow)) {
      if (told.in === "path") target = target.replace(`{${told.name}}`, encodeURIComponent(told.example));
      if (told.in === "query" && told.required) query.push(`${told.name}=${encodeURIComponent(told.example)}`);
    }
    if (query.length) target += `?${query.join("&")}`;
    const words = ["curl"];
    if (method !== "get") words.push("-X", method.toUpperCase());
    if ((operation.security || []).length && !operation.security.some((way) => !Object.keys(way).length))
      words.push("-H", "\"X-CCBT-API-Key: $key\"");
    const body = operation.requestBody && operation.requestBody.content["application/json"];
    if (body) words.push("-H", "'Content-Type: application/json'", "\\\n     -d", quoted(JSON.stringify(body.example)), "\\\n    ");
    words.push(quoted(location.origin + target));
    return el("pre", { tabindex: "0" }, code(words.join(" ")));
  }

  function codesOf(response) {
    const media = response.content && response.content["application/json"];
    return media && media.examples ? Object.keys(media.examples) : [];
  }

  function success(status, response) {
    const [kind, media] = Object.entries(response.content || {})[0] || [];
    const headers = Object.keys(response.headers || {});
    return el("details", { open: "" },
      el("summary", {}, el("span.status.ok", {}, status), " ", kind && kind !== "application/json" ? code(kind) : response.description.length < 90 && response.description),
      el("div.in", {},
        response.description.length >= 90 && el("p.about", {}, response.description),
        media && kind === "application/json" && shape(media.schema, true),
        media && media.example !== undefined && [el("h4", {}, "Example"), json(media.example)],
        !media && !response["x-messages"] && el("p.about", {}, "No body."),
        response["x-messages"] && el("p.about", {}, "The client says ", type(response["x-messages"].client), ", the daemon ",
          response["x-messages"].daemon.flatMap((one, i) => [i ? " and " : "", type(one)]), "."),
        headers.length > 0 && el("p.about", {}, "Headers: ", headers.flatMap((name, i) => [i ? ", " : "", code(name)]))));
  }

  function errors(operation) {
    const rows = [];
    for (const [status, reference] of Object.entries(operation.responses)) {
      if (status < 400) continue;
      const names = codesOf(follow(reference));
      rows.push(el("tr", {}, el("td", {}, el("span.status" + tone(status), {}, status)),
        el("td", {}, names.flatMap((name, i) => [i ? ", " : "", el("a", { href: `#error-${name}` }, code(name))]))));
    }
    if (!rows.length) return null;
    return el("details", {}, el("summary", {}, `Errors (${rows.length} statuses)`), el("div.in", {}, table(["Status", "Codes"], rows)));
  }

  function operationCard(method, path, operation) {
    const parameters = (operation.parameters || []).map(follow);
    const body = operation.requestBody;
    const media = body && body.content["application/json"];
    const good = Object.entries(operation.responses).filter(([status]) => status < 400);
    return el("article", { id: idOf(operation), "aria-labelledby": `${idOf(operation)}-name` },
      el("div.line", {}, el(`span.badge.${method}`, {}, method.toUpperCase()),
        el("h3", { id: `${idOf(operation)}-name` }, el("a.path", { href: `#${idOf(operation)}` }, path)),
        el("span.chip", { title: "What a key must be allowed to do" }, operation["x-scope"] === "open" ? "no key" : `scope ${operation["x-scope"]}`)),
      el("p.summary", {}, operation.summary),
      operation["x-event"] && el("p.about", {}, "Raises the event ", link(`event-${operation["x-event"]}`, operation["x-event"]), "."),
      operation["x-cli"] && el("p.about", {}, "On the command line: ", code(`ccbt ${operation["x-cli"]}`)),
      parameters.length > 0 && [el("h4", {}, "Parameters"),
        table(["Name", "Type", "What it is"], parameters.map((told) => row(told.name, told.schema, `${told.description || ""} (${told.in})`, told.required && "required")))],
      media && [el("h4", {}, body.required ? "Body" : "Body, which may be left out"), shape(media.schema)],
      el("h4", {}, "Request"), operation.responses["101"] ? el("p.about", {}, "A WebSocket: ", code(`new WebSocket("${location.origin.replace("http", "ws")}${path}?api_key=" + key)`)) : curl(method, path, operation),
      el("h4", {}, "Answers"), good.map(([status, response]) => success(status, follow(response))), errors(operation));
  }

  // ---- the parts of the page

  const entries = []; // {node, link, text}: what a search goes through
  function note(node, item, text) {
    entries.push({ node, item, text: text.toLowerCase() });
    return node;
  }
  const sideItem = (id, verb, name) => el("li", {}, el("a", { href: `#${id}`, "data-to": id },
    verb && el(`span.verb.${verb}`, {}, verb === "delete" ? "DEL" : verb.toUpperCase()), el("span.name", {}, name)));

  function part(title, id, about, cards, items) {
    $("side").append(el("div", { "data-group": "" }, el("h2", {}, title), el("ul", {}, items)));
    return el("section", { id, "data-group": "", "aria-labelledby": `${id}-title` },
      el("h2", { id: `${id}-title` }, title), about && el("p.soft.lead", {}, about), cards);
  }

  function words(value) { // every text in a value
    if (typeof value === "string") return value;
    if (Array.isArray(value)) return value.map(words).join(" ");
    return value && typeof value === "object" ? Object.entries(value).map(([key, one]) => (key === "example" || key === "examples" ? Object.keys(one || {}).join(" ") : `${key} ${words(one)}`)).join(" ") : "";
  }

  function operations() {
    return (api.tags || []).map((tag) => {
      const cards = [];
      const items = [];
      for (const [path, methods] of Object.entries(api.paths))
        for (const [method, operation] of Object.entries(methods)) {
          if (!operation.tags.includes(tag.name)) continue;
          const item = sideItem(idOf(operation), method, path.replace("/api/v1", "").replace("{info_hash}", "{hash}"));
          const codes = Object.values(operation.responses).flatMap((one) => codesOf(follow(one)));
          const body = operation.requestBody && follow(operation.requestBody.content["application/json"].schema);
          items.push(item);
          cards.push(note(operationCard(method, path, operation), item,
            [method, path, operation.summary, operation["x-cli"] && `ccbt ${operation["x-cli"]}`, operation["x-event"], operation.operationId,
              ...(operation.parameters || []).map((one) => follow(one).name), ...Object.keys((body && body.properties) || {}), ...codes.filter((name) => !everywhere.has(name))].join(" ")));
        }
      return cards.length ? part(tag.name, `tag-${tag.name}`, tag.description, cards, items) : null;
    });
  }

  function events() {
    const cards = [];
    const items = [];
    for (const [name, hook] of Object.entries(api.webhooks || {})) {
      const told = hook.post;
      const item = sideItem(`event-${name}`, undefined, name);
      items.push(item);
      cards.push(note(el("article", { id: `event-${name}` },
        el("div.line", {}, el("span.badge.event", {}, "EVENT"), el("h3", {}, el("a.path", { href: `#event-${name}` }, name))),
        el("p.summary", {}, told.summary), el("p.about", {}, told.description),
        el("details", {}, el("summary", {}, "Example"), el("div.in", {}, json(told.requestBody.content["application/json"].example)))), item, `${name} ${told.summary} event`));
    }
    return cards.length ? part("Events", "events", "What the WebSocket tells. Each is an Event.", cards, items) : null;
  }

  const everywhere = new Set(); // the codes that every operation may answer
  const byCode = new Map(); // code -> {statuses, operations}
  let operationCount = 0;
  function gather() {
    let count = 0;
    for (const methods of Object.values(api.paths))
      for (const operation of Object.values(methods)) {
        count += 1;
        for (const [status, reference] of Object.entries(operation.responses))
          for (const name of codesOf(follow(reference))) {
            if (!byCode.has(name)) byCode.set(name, { statuses: new Set(), operations: new Set() });
            byCode.get(name).statuses.add(status);
            byCode.get(name).operations.add(operation);
          }
      }
    operationCount = count;
    for (const [name, told] of byCode) if (told.operations.size > count / 2) everywhere.add(name);
  }

  function errorCodes() {
    const all = follow({ $ref: "#/components/schemas/Error" }).properties.code.enum;
    const items = [];
    const rows = [];
    for (const name of all) {
      const told = byCode.get(name);
      if (!told) continue;
      const where = everywhere.has(name) ? (told.operations.size === operationCount ? "any operation" : "most operations") : [...told.operations].flatMap((one, i) => [i ? ", " : "", link(idOf(one), one.operationId.replace("_", "."))]);
      rows.push(note(el("tr", { id: `error-${name}` }, el("td", {}, code(name)),
        el("td", {}, [...told.statuses].map((status) => el("span.status" + tone(status), {}, status))), el("td", {}, where)), undefined, `${name} error ${[...told.statuses].join(" ")}`));
    }
    items.push(sideItem("errors", undefined, `All ${rows.length} codes`));
    return part("Errors", "errors", "Every error has one shape, the schema Error: a sentence for people, a code for programs, details that help to mend it.",
      el("article", {}, table(["Code", "Status", "Where"], rows)), items);
  }

  function schemas() {
    const cards = [];
    const items = [];
    for (const [name, schema] of Object.entries(api.components.schemas)) {
      const item = sideItem(`schema-${name}`, undefined, name);
      items.push(item);
      const forms = schema.oneOf || schema.anyOf;
      cards.push(note(el("article", { id: `schema-${name}` },
        el("div.line", {}, el("h3", {}, el("a.path", { href: `#schema-${name}` }, name)), schema.enum && el("span.chip", {}, "one of")),
        schema.description && el("p.about", {}, schema.description),
        schema.enum && el("p.summary", {}, schema.enum.flatMap((one) => [code(one), " "])),
        fields(schema), forms && forms.map((one) => fields(one)),
        !schema.enum && !schema.properties && !forms && el("p.about", {}, type(schema))), item, `${name} ${Object.keys(schema.properties || {}).join(" ")} ${(schema.enum || []).join(" ")}`));
    }
    return part("Schemas", "schemas", undefined, cards, items);
  }

  function intro() {
    const schemes = Object.values(api.components.securitySchemes || {});
    return el("section", { id: "top", "data-intro": "" }, el("h1", {}, "The control API"),
      api.info.description.split("\n\n").map((text) => el("p.lead", {}, text)),
      el("article", { id: "keys" }, el("h3", {}, "Who may ask"),
        table(["Name", "Where", "What it is"], schemes.map((one) => el("tr", {}, el("td", {}, code(one.name)), el("td.type", {}, one.in), el("td", {}, one.description))))));
  }

  // ---- search, theme, contents

  function search() {
    const asked = $("words").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { node, item, text } of entries) {
      const fits = asked.every((word) => text.includes(word));
      node.hidden = !fits;
      if (item) item.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    for (const group of document.querySelectorAll("[data-group]")) {
      const inside = [...group.querySelectorAll("article, tbody > tr[id], li")];
      const found = inside.some((one) => !one.hidden && (one.tagName !== "ARTICLE" || one.id || [...one.querySelectorAll("tr[id]")].some((row) => !row.hidden)) && (one.tagName !== "LI" || one.firstChild.hash !== "#errors" || !asked.length));
      group.hidden = !found;
    }
    document.querySelector("[data-intro]").hidden = asked.length > 0;
    $("none").hidden = shown > 0;
    $("found").textContent = asked.length ? `${shown} found` : "";
    if (asked.length) scrollTo({ top: 0, behavior: "instant" });
  }

  function clearSearch() {
    if (!$("words").value) return;
    $("words").value = "";
    search();
  }

  const themes = ["auto", "light", "dark"];
  function useTheme(name) {
    if (name === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    $("theme").textContent = `Theme: ${name}`;
  }
  function keptTheme() {
    try {
      return themes.includes(localStorage.getItem("theme")) ? localStorage.getItem("theme") : "auto";
    } catch {
      return "auto";
    }
  }

  function markCurrent() {
    const at = location.hash.slice(1);
    for (const one of document.querySelectorAll("#side a")) {
      if (one.dataset.to === at) one.setAttribute("aria-current", "true");
      else one.removeAttribute("aria-current");
    }
  }

  function openMenu(open) {
    $("side").classList.toggle("open", open);
    $("menu").setAttribute("aria-expanded", String(open));
  }

  function listen() {
    $("search").addEventListener("submit", (event) => event.preventDefault());
    $("words").addEventListener("input", search);
    $("menu").addEventListener("click", () => openMenu(!$("side").classList.contains("open")));
    $("side").addEventListener("click", (event) => { if (event.target.closest("a")) openMenu(false); });
    // What a link within the page leads to may be hidden by a search.
    document.addEventListener("click", (event) => {
      const to = event.target.closest("a[href^='#']");
      const node = to && document.getElementById(to.hash.slice(1));
      if (node && node.closest("[hidden]")) clearSearch();
    });
    addEventListener("hashchange", markCurrent);
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && document.activeElement.tagName !== "INPUT" && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        $("words").focus();
      } else if (event.key === "Escape") {
        clearSearch();
        openMenu(false);
        $("words").blur();
      }
    });
  }

  async function start() {
    let theme = keptTheme();
    useTheme(theme);
    $("theme").addEventListener("click", () => {
      theme = themes[(themes.indexOf(theme) + 1) % themes.length];
      useTheme(theme);
      try {
        localStorage.setItem("theme", theme);
      } catch { /* it holds for this visit */ }
    });
    try {
      const answer = await fetch("openapi.json");
      if (!answer.ok) throw new Error(`the daemon answered ${answer.status}`);
      api = await answer.json();
    } catch (error) {
      $("state").replaceWith(el("p.alert", { role: "alert" }, `The API’s description cannot be read: ${error.message}. Reload to try again.`));
      return;
    }
    $("version").textContent = api.info.version;
    gather();
    const parts = [intro(), ...operations(), events(), errorCodes(), schemas()];
    $("state").remove();
    $("main").append(el("p.none", { id: "none", hidden: "" }, "Nothing has all of these words."), ...parts.filter(Boolean));
    listen();
    markCurrent();
    if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
    document.documentElement.dataset.ready = "true";
  }
  start();
})();
