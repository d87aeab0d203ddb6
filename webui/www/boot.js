// SPDX-License-Identifier: Apache-2.0
// Begin; and begin again when a module did not come, as on a line that breaks.
const AGAIN_MS = 2000;

import("./app.js").catch((e) => {
	console.error(e);
	const p = document.createElement("p");
	p.setAttribute("role", "alert");
	p.textContent = "No connection to the gateway. Trying again. / ゲートウェイに接続できません。再試行しています。";
	document.getElementById("app")?.replaceChildren(p);
	setTimeout(() => location.reload(), AGAIN_MS);
});
