// SPDX-License-Identifier: Apache-2.0
// Begin; and begin again when a module did not come, as on a line that breaks.
const AGAIN_MS = 2000, PAINT_MS = 100;
const app = document.getElementById("app");
let isBegun = false;

/** @param {any} e */
function failed(e) {
	console.error(e);
	const p = document.createElement("p");
	p.setAttribute("role", "alert");
	p.textContent = "No connection to the gateway. Trying again. / ゲートウェイに接続できません。再試行しています。";
	app.replaceChildren(p);
	setTimeout(() => location.reload(), AGAIN_MS);
}

function begin() {
	if (isBegun) return;
	isBegun = true;
	for (const href of app.dataset.modules.split(" ").filter(Boolean))
		document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href }));
	import("./api.js").then((api) => api.enterEarly());
	import("./app.js").catch(failed);
}

// The frame is seen before the modules come; a page that nobody looks at is not painted.
requestAnimationFrame(() => setTimeout(begin));
setTimeout(begin, PAINT_MS);
