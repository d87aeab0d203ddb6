// SPDX-License-Identifier: Apache-2.0
// What a peer calls itself goes into commands that people copy into a shell.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const dir = new URL("../../webui/www/views/", import.meta.url);
// an option or a command, and behind it a name that is not ours
const bare = /(["`]| )(--(peer|realm|id|eap|code|name)|tapir (why|ping|status|down|up|rekey|history|hub))( -w)? ?(["`] ?\+ ?|\$\{)(?!quoted\()(\w*[.])?(peer|realm|name|id|code|eap)\b/;

test("the pattern finds what it is for", () => {
	for (const bad of ['" --peer " + peer', '"tapir why " + realm + "/" + peer', "`tapir up ${name}`",
		'"tapir hub -w " + realm', '"tapir status " + p.name'])
		assert.match(bad, bare);
	for (const good of ['" --peer " + quoted(peer)', "`tapir hub ${quoted(realm)} ${what}`", '"tapir status " + target'])
		assert.doesNotMatch(good, bare);
});

test("names in commands are quoted", () => {
	for (const file of readdirSync(dir).filter((f) => f.endsWith(".js")))
		readFileSync(new URL(file, dir), "utf-8").split("\n").forEach((line, i) =>
			assert.doesNotMatch(line, bare, `${file}:${i + 1}`));
});
