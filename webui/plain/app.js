// SPDX-License-Identifier: Apache-2.0
// The first page: peers, live.
import { Bus, linkOfPage, login } from "./api.js";

const state = document.getElementById("state");
/** @type {HTMLTableSectionElement} */
const table = document.querySelector("#peers");
const rows = new Map();

function show(peer) {
	const key = peer.realm + "/" + peer.name;
	let row = rows.get(key);
	if (!row) {
		row = table.insertRow();
		for (let i = 0; i < 5; i++) row.insertCell();
		rows.set(key, row);
	}
	[key, peer.state, peer.remote, peer.rx_bytes, peer.tx_bytes]
		.forEach((text, i) => { row.cells[i].textContent = text; });
}

function take(item) {
	if (item.resync) {
		rows.clear();
		table.replaceChildren();
	} else if (item.result === "peer" && !item.tag) {
		show(item);
	}
}

async function start() {
	const link = linkOfPage();
	try {
		if (link) await login({ link });
	} catch (e) {
		state.textContent = e.message + ". " + e.hint;
		return;
	}
	new Bus(take, (now) => {
		state.textContent = {
			live: "live",
			lost: "no connection to the server, trying again",
			login: "not logged in: run tapir web and open its link",
		}[now];
	}).run();
}

start();
