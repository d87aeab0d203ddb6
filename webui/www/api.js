// SPDX-License-Identifier: Apache-2.0
// The one module that talks to the server: login, the bus, its held reads.

let token = sessionStorage.getItem("token") ?? "";

async function ask(method, path, body) {
	const headers = { Accept: "application/json" };
	if (token) headers.Authorization = "Bearer " + token;
	if (body) headers["Content-Type"] = "application/json";
	const answer = await fetch(path, {
		method, headers, cache: "no-store", credentials: "omit",
		body: body ? JSON.stringify(body) : undefined,
	});
	const text = await answer.text();
	const value = text ? JSON.parse(text) : {};
	if (answer.ok) return value;
	throw Object.assign(new Error(value.text ?? answer.statusText),
		{ status: answer.status, hint: value.hint ?? "" });
}

/** Log in with {link} or {user, password, code}. */
export async function login(how) {
	const who = await ask("POST", "/login", how);
	token = who.token;
	sessionStorage.setItem("token", token);
	return who;
}

/** The link that tapir web prints carries its secret behind the #. */
export function linkOfPage() {
	const link = new URLSearchParams(location.hash.slice(1)).get("link");
	if (link) history.replaceState(null, "", location.pathname);
	return link;
}

/** Forget the login, here and there. */
export async function logout() {
	await ask("DELETE", "/login");
	token = "";
	sessionStorage.removeItem("token");
}

/** One session of the bus: items arrive until stop() is called. */
export class Bus {
	constructor(onItem, onState) {
		this.onItem = onItem;
		this.onState = onState;
		this.isStopped = false;
		this.tag = 0;
	}

	async run() {
		let pause = 500;
		while (!this.isStopped) {
			try {
				const s = await ask("POST", "/bus/open");
				this.id = s.id;
				this.onItem({ resync: true });
				this.onState("live");
				pause = 500;
				await this.#read();
			} catch (e) {
				this.id = null;
				this.onState(e.status === 401 ? "login" : "lost", e);
				if (e.status === 401) return;
				await new Promise((r) => setTimeout(r, pause));
				pause = Math.min(pause * 2, 10000);
			}
		}
	}

	async #read() {
		let after = 0;
		while (!this.isStopped) {
			const batch = await ask("GET", `/bus/read/${this.id}?after=${after}`);
			after = batch.last;
			batch.items.forEach(this.onItem);
		}
	}

	/** Send a command; its results arrive as items with the tag returned. */
	async send(command, fields) {
		const tag = ++this.tag;
		await ask("PUT", `/bus/write/${this.id}`, { command, tag, ...fields });
		return tag;
	}

	stop() {
		this.isStopped = true;
		if (this.id) ask("DELETE", `/bus/close/${this.id}`).catch(() => {});
	}
}
