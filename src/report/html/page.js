"use strict";
// What a plot says where one points at it, or walks along it with the arrow keys.
(() => {
  const box = document.createElement("div");
  box.id = "readout";
  box.hidden = true;
  box.setAttribute("role", "status");
  document.body.append(box);
  const show = (svg, index, x, y) => {
    const data = svg.readout;
    const [place, values] = data.columns[index];
    box.textContent = [place, ...data.names.map((name, at) => `${name}: ${values[at]}`)].join("\n");
    box.hidden = false;
    const room = box.getBoundingClientRect();
    box.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - room.width - 4))}px`;
    box.style.top = `${y + room.height + 18 < innerHeight ? y + 14 : y - room.height - 14}px`;
  };
  const hide = () => { box.hidden = true; };
  for (const svg of document.querySelectorAll("svg[data-readout]")) {
    svg.readout = JSON.parse(svg.dataset.readout);
    const { x: [from, to], columns } = svg.readout;
    const scale = () => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    svg.addEventListener("pointermove", (event) => {
      const x = (event.clientX - svg.getBoundingClientRect().left) / scale();
      const index = Math.floor((x - from) / (to - from) * columns.length);
      if (index < 0 || index >= columns.length) return hide();
      svg.at = index;
      show(svg, index, event.clientX, event.clientY);
    });
    svg.addEventListener("pointerleave", hide);
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("aria-hidden", "false");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `${svg.querySelector(".b")?.textContent ?? "Plot"}: walk along its values with the arrow keys`);
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -columns.length, End: columns.length }[event.key];
      if (event.key === "Escape") return hide();
      if (!step) return;
      event.preventDefault();
      svg.at = Math.max(0, Math.min(columns.length - 1, (svg.at ?? -1) + step));
      const place = svg.getBoundingClientRect();
      show(svg, svg.at, place.left + (from + (svg.at + .5) / columns.length * (to - from)) * scale(), place.top + place.height / 2);
    });
  }
  // A plot that is hidden says nothing.
  document.addEventListener("change", hide);
  // On paper everything is open.
  addEventListener("beforeprint", () => { for (const details of document.querySelectorAll("details")) details.open = true; });
})();
