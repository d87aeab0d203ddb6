// SPDX-License-Identifier: Apache-2.0
// What webui/thin takes away changes nothing of what is done or said.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const root = new URL("../../webui/", import.meta.url);

function run(text) {
	return spawnSync(new URL("thin", root).pathname, { input: text, encoding: "utf-8" });
}

function thin(text) {
	const done = run(text);
	assert.equal(done.status, 0, done.stderr);
	return done.stdout.trimEnd();
}

test("comments and space go, text stays", () => {
	assert.equal(thin(`/** @param {number} a */\nconst f = (/** @type {any} */ a) => a + 1;	// one more\n`),
		"const f=(a)=>a+1;");
	assert.equal(thin(`const s = "a // b /* c */ 'd'  \\" e", t = 'x  "';\n`),
		`const s="a // b /* c */ 'd'  \\" e",t='x  "';`);
});

test("names stay apart, and signs that would become others", () => {
	assert.equal(thin(`for (const a of [1]) if ("x" in b) return typeof a;\n`),
		`for(const a of[1])if("x"in b)return typeof a;`);
	assert.equal(thin("a = b + +c - -d + ++e;\n"), "a=b+ +c- -d+ ++e;");
});

test("a line ends where nothing else ends it", () => {
	assert.equal(thin("const f = () => {\n\ta();\n}\nlet x = 1\nx++\nf()\n"), "const f=()=>{a();}\nlet x=1\nx++\nf()");
	assert.equal(thin("a\n  .b(\n c,\n d)\n  ? e\n  : f;\n"), "a.b(c,d)?e:f;");
});

test("patterns are no divisions; behind a slash a name keeps its distance", () => {
	assert.equal(thin(`x = a / b / c; y = s.replace(/[/"\\]] +/g, " "), z = (a) / 2;\n`),
		`x=a/ b/ c;y=s.replace(/[/"\\]] +/g," "),z=(a)/ 2;`);
	assert.equal(thin("return / {2}`/.test(a)\n"), "return/ {2}`/.test(a)");
});

test("of templates only the indentation goes, and code within is code", () => {
	assert.equal(thin("a = html`<p>\n\t\tb  c // d</p>${e.map((x) => `${ x }  \"`) }  f`;\n"),
		"a=html`<p>\nb  c // d</p>${e.map((x)=>`${x}  \"`)}  f`;");
	assert.equal(thin("a = `\\`  \\${ b }${ { c: { d: 1 } } }  e`;\n"), "a=`\\`  \\${ b }${{c:{d:1}}}  e`;");
});

test("what does not end is refused", () => {
	for (const text of ["a = \"b\n", "a = `b\n", "a = /b\n"]) assert.notEqual(run(text).status, 0, text);
});

test("every module is one afterwards, and stays it", () => {
	for (const name of readdirSync(new URL("www", root), { recursive: true }).filter((n) => n.endsWith(".js"))) {
		const once = thin(readFileSync(new URL("www/" + name, root), "utf-8"));
		assert.equal(thin(once), once, name);
		const read = spawnSync(process.execPath, ["--input-type=module", "--check"], { input: once, encoding: "utf-8" });
		assert.equal(read.status, 0, name + read.stderr);
	}
});
