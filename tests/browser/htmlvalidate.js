// The rules of html-validate: all that it recommends, and what of them this project has otherwise, with why.
"use strict";

module.exports = {
	root: true,
	extends: ["html-validate:recommended", "html-validate:document"],
	rules: {
		// HTML5 takes both; the pages have one way, and the rule keeps it
		"doctype-style": ["error", { style: "lowercase" }],
		// off: a list of ticks has one name, that is how a form sends an array, and a single tick stands behind a
		// hidden "false" of its name, that is how it sends no. The rule can be told of either, not of both.
		"form-dup-name": "off",
		// off, pure style: submit is what HTML says of a button without a type, and nearly all of ours submit
		"no-implicit-button-type": "off",
		// off, pure style: text is what HTML says of an input without a type
		"no-implicit-input-type": "off",
		// a pre that scrolls stays a pre: its role only gives it the name that a stop of the keyboard needs.
		// A fieldset in a grid cannot be laid out as a div can: a group has that role instead.
		"prefer-native-element": ["error", { exclude: ["group", "region"] }],
		// lists and fields that have no visible title are named; the strict form knows landmarks only
		"aria-label-misuse": ["error", { allowAnyNamable: true }],
		"input-missing-label": "error",
		"no-missing-references": "error",
		"no-inline-style": "error",
		// assets come from where the page comes: who could change one could change the other's hash
		"require-sri": ["error", { target: "crossorigin" }],
	},
};
