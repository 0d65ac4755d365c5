"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);
  root.classList.add("scripted");

  // Light or dark: the system's choice until the switch is used; kept where the browser lets a file keep anything.
  const theme = byId("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => { try { return localStorage.getItem("nqs-theme"); } catch { return null; } };
  const keep = (name) => { try { localStorage.setItem("nqs-theme", name); } catch { /* not kept */ } };
  const setTheme = (name) => {
    root.dataset.theme = name;
    theme.setAttribute("aria-pressed", String(name === "dark"));
  };
  setTheme(stored() || (system.matches ? "dark" : "light"));
  system.addEventListener("change", () => { if (!stored()) setTheme(system.matches ? "dark" : "light"); });
  theme.addEventListener("click", () => {
    setTheme(root.dataset.theme === "dark" ? "light" : "dark");
    keep(root.dataset.theme);
  });

  // Filters: a figure stays if its words fit, with all its claims, or if one of its claims does.
  const plain = (element) => element.textContent.toLowerCase().replace(/\s+/g, " ");
  const articles = all("article.shown").map((element) => ({
    element,
    study: element.dataset.study,
    words: [element.querySelector("h3"), element.querySelector("figure")].filter(Boolean).map(plain).join(" ") + " " + element.id,
    claims: all(".claim", element).map((claim) => ({ element: claim, verdict: claim.dataset.verdict, words: plain(claim) })),
  }));
  const bar = byId("filters");
  new ResizeObserver(() => root.style.setProperty("--bar", `${getComputedStyle(bar).position === "sticky" ? bar.offsetHeight : 0}px`)).observe(bar);
  const search = byId("search"), study = byId("study"), verdicts = all("input[name=verdict]");
  const nClaims = articles.reduce((sum, one) => sum + one.claims.length, 0);
  const fits = (words, asked) => asked.every((word) => words.includes(word));

  const filter = () => {
    const asked = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = new Set(verdicts.filter((box) => box.checked).map((box) => box.value));
    let seen = 0, seenClaims = 0;
    for (const one of articles) {
      const inStudy = !study.value || one.study === study.value;
      const whole = fits(one.words, asked);
      let kept = 0;
      for (const claim of one.claims) {
        const keep = (!chosen.size || chosen.has(claim.verdict)) && (whole || fits(one.words + " " + claim.words, asked));
        claim.element.hidden = !keep;
        kept += keep;
      }
      const keep = inStudy && (kept > 0 || (whole && !chosen.size));
      one.element.hidden = !keep;
      for (const entry of all(`nav [data-of="${one.element.id}"]`)) entry.hidden = !keep;
      seen += keep;
      seenClaims += keep ? kept : 0;
    }
    for (const section of all("section.study")) {
      const empty = !all("article.shown", section).some((element) => !element.hidden);
      section.hidden = empty;
      for (const entry of all(`nav [data-of="${section.id}"]`)) entry.hidden = empty;
    }
    root.classList.toggle("filtered", asked.length + chosen.size > 0);
    document.querySelector(".nothing").hidden = seen > 0;
    byId("shown").textContent = `${seen} of ${articles.length} entries, ${seenClaims} of ${nClaims} claims`;
  };
  bar.addEventListener("input", filter);
  bar.addEventListener("submit", (event) => event.preventDefault());
  bar.addEventListener("reset", () => setTimeout(filter));
  for (const button of all("button.count")) {
    button.addEventListener("click", () => {
      search.value = "";
      study.value = button.dataset.study;
      for (const box of verdicts) box.checked = box.value === button.dataset.verdict;
      filter();
      byId("main").focus({ preventScroll: true });
      bar.scrollIntoView();
    });
  }
  document.addEventListener("keydown", (event) => {
    const typing = /^(input|select|textarea)$/i.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    }
    if (event.key === "Escape" && event.target === search) {
      search.value = "";
      filter();
    }
  });
  filter();

  // Rules: what is before and after the box under the pointer or the focus.
  const reach = (paths, start, from, to) => {
    const found = new Set([start]);
    let size;
    do {
      size = found.size;
      for (const path of paths) if (found.has(path.dataset[from])) found.add(path.dataset[to]);
    } while (found.size > size);
    return found;
  };
  for (const graph of all("svg.graph")) {
    const paths = all("path", graph), boxes = all(".box", graph);
    const clear = () => { graph.classList.remove("traced"); for (const one of [...paths, ...boxes]) one.classList.remove("on"); };
    const trace = (key) => {
      clear();
      const before = reach(paths, key, "to", "from"), after = reach(paths, key, "from", "to");
      graph.classList.add("traced");
      for (const box of boxes) box.classList.toggle("on", before.has(box.dataset.key) || after.has(box.dataset.key));
      for (const path of paths) {
        const { from, to } = path.dataset;
        path.classList.toggle("on", (before.has(from) && before.has(to)) || (after.has(from) && after.has(to)));
      }
    };
    for (const box of boxes) {
      box.addEventListener("pointerenter", () => trace(box.dataset.key));
      box.addEventListener("pointerleave", clear);
      box.parentElement.addEventListener("focus", () => { if (box.parentElement.matches("a")) trace(box.dataset.key); });
      box.parentElement.addEventListener("blur", clear);
    }
  }

  // What is open is printed.
  const unfold = byId("unfold");
  unfold.addEventListener("click", () => {
    const open = unfold.getAttribute("aria-pressed") !== "true";
    for (const one of all("main details")) one.open = open;
    unfold.setAttribute("aria-pressed", String(open));
  });
})();
