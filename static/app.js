// What pages gain where scripts run. Each works without; nothing here is needed.

const ready = (root) => {
	for (const [selector, enhance] of enhancements)
		for (const element of root.querySelectorAll(selector)) enhance(element);
};

// A form that was refused says so first: its summary gets the focus.
const focusSummary = (element) => element.focus();

// A choice that decides what follows shows the form again by itself; its button is not needed then.
const decides = (select) => {
	const button = select.parentElement.querySelector('button[name="_do"]');
	if (!button) return;
	button.classList.add("visually-hidden");
	select.addEventListener("change", () => button.click());
};

// Buttons that change the form alone are answered in place, so that nothing jumps.
const changeInPlace = (form) => {
	form.addEventListener("submit", async (event) => {
		const button = event.submitter;
		if (!button || button.name !== "_do" || !button.value) return;
		event.preventDefault();
		const body = new URLSearchParams(new FormData(form));
		body.append(button.name, button.value);
		const address = new URL(button.getAttribute("formaction") || form.action, location.href);
		const target = address.hash.slice(1) || button.closest("[id]")?.id;
		// what was typed into the form meanwhile would be lost with it
		form.inert = true;
		form.setAttribute("aria-busy", "true");
		try {
			const answer = await fetch(address, { method: "POST", body, headers: { Accept: "text/html" } });
			const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
			const replacement = fresh.querySelector("main form.form");
			if (!replacement) throw new Error("no form");
			for (const open of form.querySelectorAll("details[open]")) {
				const id = open.id || open.parentElement.id;
				const same = id && replacement.querySelector(`#${CSS.escape(id)}`);
				const details = same?.matches("details") ? same : same?.querySelector(":scope > details");
				if (details) details.open = true;
			}
			form.replaceWith(replacement);
			ready(replacement.parentElement);
			const next = document.getElementById(target);
			const focus = next?.matches("button, input, select, textarea")
				? next.closest("fieldset")?.querySelector("fieldset.item:last-of-type input, fieldset.item:last-of-type select") || next
				: next?.querySelector("input:not([type=hidden]), select, textarea, button");
			(focus || replacement.querySelector("button[name=_do]"))?.focus();
		} catch {
			form.inert = false;
			form.removeAttribute("aria-busy");
			form.requestSubmit(button); // as it would have been
		}
	});
};

// A form is sent once: a second click on its way does nothing.
const sendOnce = (form) => {
	form.addEventListener("submit", (event) => {
		if (event.defaultPrevented) return;
		if (form.dataset.sent) event.preventDefault();
		form.dataset.sent = "1";
		for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
	});
	addEventListener("pageshow", () => {
		delete form.dataset.sent;
		for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
	});
};

// What takes long says so once it is on its way.
const sayWait = (part) => {
	part.addEventListener("submit", (event) => {
		if (event.defaultPrevented || event.submitter?.name === "_do") return;
		const said = document.createElement("p");
		said.className = "notice";
		said.setAttribute("role", "status");
		said.textContent = part.dataset.wait;
		event.target.append(said);
	});
};

const copyButton = (pre) => {
	if (!navigator.clipboard) return;
	const button = document.createElement("button");
	button.type = "button";
	button.className = "button quiet small copy";
	button.textContent = "Copy";
	button.addEventListener("click", async () => {
		await navigator.clipboard.writeText(pre.innerText);
		button.textContent = "Copied";
		setTimeout(() => { button.textContent = "Copy"; }, 2000);
	});
	pre.before(button);
};

// "3 min ago", with the exact time when it is pointed at.
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const relativeTime = (element) => {
	const seconds = (new Date(element.dateTime) - Date.now()) / 1000;
	if (Number.isNaN(seconds) || Math.abs(seconds) > 30 * 86400) return;
	const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) || units.at(-1);
	element.title = element.title || element.textContent;
	element.textContent = relative.format(Math.round(seconds / size), unit);
};

// <div data-poll="2">: the part is asked for again every two seconds, until it no longer asks for it.
const poll = (part) => {
	const wait = Number(part.dataset.poll) * 1000 || 2000;
	let tag = "";
	const tick = async () => {
		if (!part.isConnected) return;
		if (document.hidden) return void setTimeout(tick, wait);
		try {
			const answer = await fetch(location.href, { headers: tag ? { "If-None-Match": tag } : {} });
			if (answer.status === 200) {
				tag = answer.headers.get("ETag") || "";
				const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(part.id);
				if (!fresh) return;
				if (fresh.innerHTML !== part.dataset.shown && !part.contains(document.activeElement)) {
					const open = [...part.querySelectorAll("details[open][id]")].map((one) => one.id);
					part.innerHTML = fresh.innerHTML;
					for (const id of open) document.getElementById(id)?.setAttribute("open", "");
					part.dataset.shown = fresh.innerHTML;
					ready(part);
				}
				if (!fresh.dataset.poll) return;
			}
		} catch { /* the network will be back */ }
		setTimeout(tick, wait);
	};
	setTimeout(tick, wait);
};

// A button whose answer belongs beside the form, so that what was typed, secrets too, stays in it.
const resultInPlace = (button) => {
	const place = document.getElementById(button.dataset.result);
	const form = button.form;
	if (!place || !form) return;
	button.addEventListener("click", async (event) => {
		event.preventDefault();
		button.setAttribute("aria-disabled", "true");
		place.textContent = "Asking …";
		try {
			const answer = await fetch(button.formAction, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "text/html" } });
			const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
			const found = fresh.querySelector("form.form .errors") || fresh.getElementById(place.id);
			if (!found) throw new Error("no answer");
			place.replaceChildren(...(found.id === place.id ? found.childNodes : [found]));
			place.scrollIntoView({ block: "nearest" });
		} catch {
			place.textContent = "The test could not be sent. Try again.";
		}
		button.removeAttribute("aria-disabled");
	});
};

// What is folded for want of room is open where there is room.
const openWhenWide = (details) => {
	const wide = matchMedia("(min-width: 60rem)");
	const follow = () => { details.open = wide.matches; };
	wide.addEventListener("change", follow);
	follow();
};

const enhancements = [
	["details[data-wide]", openWhenWide],
	["button[data-result]", resultInPlace],
	["[data-focus]", focusSummary],
	["select[data-decides]", decides],
	["form.form", changeInPlace],
	["form", sendOnce],
	["[data-wait]", sayWait],
	["pre.code", copyButton],
	["time[datetime]", relativeTime],
	["[data-poll]", poll],
];

// A menu closes by Escape, and when the focus leaves it.
for (const menu of document.querySelectorAll("details.menu")) {
	menu.addEventListener("keydown", (event) => {
		if (event.key !== "Escape" || !menu.open) return;
		menu.open = false;
		menu.querySelector("summary").focus();
	});
	menu.addEventListener("focusout", (event) => {
		if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
	});
}

// "/" goes to the search box, where there is one and nobody types.
addEventListener("keydown", (event) => {
	if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
	if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
	const search = document.querySelector("input[type=search]");
	if (!search) return;
	event.preventDefault();
	search.focus();
});

ready(document);
