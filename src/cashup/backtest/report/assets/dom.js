// Builds elements. Text always goes in as text nodes: nothing a strategy writes is ever parsed as markup.

function h(name, attributes, ...children) {
  const [tag, ...classes] = name.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) {
    node.className = classes.join(" ");
  }
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) {
      continue;
    }
    if (key.startsWith("on")) {
      node.addEventListener(key.slice(2), value);
    } else if (key === "style") {
      for (const [property, setting] of Object.entries(value)) {
        node.style.setProperty(property, setting);
      }
    } else {
      node.setAttribute(key, value === true ? "" : String(value));
    }
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) {
      continue;
    }
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

// A row of buttons of which one is pressed.
function segments(label, options, current, choose) {
  const group = h("div.segments", { role: "group", "aria-label": label });
  const buttons = options.map(([value, text, title]) =>
    h(
      "button",
      {
        type: "button",
        title,
        "aria-pressed": String(value === current),
        "data-value": value,
        onclick: () => {
          buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.value === String(value))));
          choose(value);
        },
      },
      text,
    ),
  );
  group.append(...buttons);
  return group;
}

// A panel with a heading, an optional explanation and controls at its right.
function panel(title, options, ...children) {
  const { note, tools, name, wide } = options || {};
  return h(
    `section.panel${wide ? ".wide" : ""}`,
    { "data-panel": name },
    h(
      "header.panel-head",
      null,
      h("div.panel-title", null, h("h3", null, title), note ? h("p.note", null, note) : null),
      tools ? h("div.panel-tools", null, tools) : null,
    ),
    ...children,
  );
}

// An underlined term whose meaning opens on hover, focus and tap.
function term(text, meaning) {
  if (!meaning) {
    return h("span", null, text);
  }
  return h("button.term", { type: "button", "data-tip": meaning, "aria-description": meaning }, text);
}

const tip = { box: null, owner: null, top: 0 };

function showTip(owner) {
  hideTip();
  tip.owner = owner;
  tip.box = h("div.tip", { role: "tooltip" }, owner.dataset.tip);
  document.body.append(tip.box);
  const anchor = owner.getBoundingClientRect();
  tip.top = anchor.top;
  const size = tip.box.getBoundingClientRect();
  const left = Math.max(8, Math.min(anchor.left, document.documentElement.clientWidth - size.width - 8));
  const above = anchor.top - size.height - 8;
  tip.box.style.left = `${left}px`;
  tip.box.style.top = `${above > 64 ? above : anchor.bottom + 8}px`;
}

function hideTip() {
  if (tip.box) {
    tip.box.remove();
  }
  tip.box = null;
  tip.owner = null;
}

function watchTips() {
  const termOf = (event) => (event.target instanceof Element ? event.target.closest("[data-tip]") : null);
  document.addEventListener("pointerover", (event) => {
    const owner = event.pointerType === "mouse" ? termOf(event) : null;
    if (owner && owner !== tip.owner) {
      showTip(owner);
    } else if (!owner && event.pointerType === "mouse") {
      hideTip();
    }
  });
  document.addEventListener("focusin", (event) => {
    const owner = termOf(event);
    if (owner && owner.matches(":focus-visible")) {
      showTip(owner);
    }
  });
  document.addEventListener("focusout", hideTip);
  document.addEventListener("click", (event) => {
    const owner = termOf(event);
    if (owner) {
      showTip(owner);
    } else {
      hideTip();
    }
  });
  document.addEventListener("scroll", () => tip.owner && Math.abs(tip.owner.getBoundingClientRect().top - tip.top) > 2 && hideTip(), { passive: true, capture: true });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
}

// Saves text as a file; a blob needs no network.
function download(name, text, type) {
  const address = URL.createObjectURL(new Blob(["\ufeff", text], { type }));
  const link = h("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

function copyButton(text) {
  const button = h("button.quiet", { type: "button" }, t("copy"));
  button.addEventListener("click", async () => {
    button.textContent = (await copyText(text())) ? t("copied") : t("copy_failed");
    setTimeout(() => {
      button.textContent = t("copy");
    }, 1500);
  });
  return button;
}

// The clipboard interface is missing where the file is opened from a disk in some browsers.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { style: { position: "fixed", opacity: "0" } });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
