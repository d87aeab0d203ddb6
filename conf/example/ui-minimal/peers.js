// A page of one's own on tapir's bus: tapird --web-root DIR serves it, and
// tapir web prints the link that logs in.
const state = document.getElementById("state");
const list = document.getElementById("list");
const peers = new Map();
let token = "";

async function ask(method, path, body) {
	const answer = await fetch(path, {
		method,
		headers: {
			Accept: "application/json",
			"Content-Type": "application/json",
			Authorization: "Bearer " + token,
		},
		body: body && JSON.stringify(body),
	});
	const text = await answer.text();
	if (!answer.ok) throw new Error(text);
	return text ? JSON.parse(text) : null;
}

function show() {
	list.replaceChildren(...[...peers.values()].map((p) => {
		const item = document.createElement("li");
		item.textContent = `${p.realm}/${p.name}: ${p.state}` +
			(p.why ? `, ${p.why}` : "") +
			`, ${p.rx_bytes} bytes in, ${p.tx_bytes} out`;
		return item;
	}));
}

function take(item) {
	if (item.resync) peers.clear();
	if (item.result === "peer" && !item.tag)
		peers.set(item.realm + "/" + item.name, item);
	if (item.event) state.textContent = item.sentence;
}

const link = new URLSearchParams(location.hash.slice(1)).get("link");
try {
	token = (await ask("POST", "/login", { link })).token;
	history.replaceState(null, "", "/");
	const session = await ask("POST", "/bus/open", {});
	state.textContent = "live";
	for (let after = 0; ;) {
		const batch = await ask("GET", `/bus/read/${session.id}?after=${after}`);
		after = batch.last;
		batch.items.forEach(take);
		show();
	}
} catch (e) {
	state.textContent = "open the link that tapir web prints: " + e.message;
}
