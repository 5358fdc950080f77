// Judges raw HTML for as long as somebody asks: a line of JSON {name, html} in, a line with the list of
// findings out. One process for all pages: starting it takes longer than judging one.
"use strict";
const path = require("path");
const readline = require("readline");
const { createRequire } = require("module");

const installed = createRequire(path.join(process.env.CATCHMENT_NODE, "package.json"));
const { HtmlValidate, StaticConfigLoader } = installed("html-validate");
const config = require("./htmlvalidate.js");
const judge = new HtmlValidate(new StaticConfigLoader(config));

async function main() {
	for await (const line of readline.createInterface({ input: process.stdin })) {
		const { name, html } = JSON.parse(line);
		const report = await judge.validateString(html, name);
		const found = report.results.flatMap((r) => r.messages).map(
			(m) => `line ${m.line}, column ${m.column}: ${m.message} (${m.ruleId})`);
		process.stdout.write(JSON.stringify(found) + "\n");
	}
}

main();
