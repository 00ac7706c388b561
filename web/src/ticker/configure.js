/**
 * The page that makes the snippet of a feed (`/feeds/{feed}/embed/new`): what is chosen in the form shows in the preview, and
 * stands in the lines to copy.
 */

/** @type {<T extends Element>(selector: string) => T} */
const find = (selector) => /** @type {any} */ (document.querySelector(selector));

const main = /** @type {HTMLElement} */ (find('main'));
const form = /** @type {HTMLFormElement} */ (find('form'));
const frame = /** @type {HTMLIFrameElement} */ (find('iframe'));
const status = /** @type {HTMLElement} */ (find('[role=status]'));
const { page = '', site = '', title = '' } = main.dataset;

/** @param {string} text */
const quoted = (text) =>
	text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

/** The attributes that are chosen and make sense, with their values. @returns {[string, string][]} */
function chosen() {
	const fields = /** @type {(HTMLInputElement | HTMLSelectElement)[]} */ ([...form.elements]);
	return fields
		.filter((field) =>
			'checked' in field && field.type === 'checkbox'
				? field.checked
				: field.value.trim() && field.checkValidity(),
		)
		.map(({ name, value, type }) => [name, type === 'checkbox' ? '' : value.trim()]);
}

function update() {
	const attributes = chosen();
	const written = attributes.map(([name, value]) =>
		value ? ` ${name}="${quoted(value)}"` : ` ${name}`,
	);
	const query = `${new URLSearchParams(attributes)}`;
	const address = query && `?${query}`;
	/** @type {HTMLTextAreaElement} */ (find('#element')).value =
		`<script type="module" src="${site}/ticker.js"></script>\n` +
		`<live-ticker src="${page}"${written.join('')}><a href="${page}">${quoted(title)}</a></live-ticker>`;
	/** @type {HTMLTextAreaElement} */ (find('#frame')).value =
		`<iframe src="${quoted(`${page}/embed${address}`)}" title="${quoted(title)}"></iframe>`;
	const shown = `${location.pathname.replace(/\/new\/?$/, '')}${address}`;
	if (frame.getAttribute('src') !== shown) frame.src = shown;
	frame.classList.toggle(
		'line',
		attributes.some(([, value]) => value === 'line'),
	);
	status.textContent = '';
}

form.addEventListener('change', update);
form.addEventListener('submit', (event) => event.preventDefault());
main.addEventListener('click', async ({ target }) => {
	if (!(target instanceof HTMLButtonElement)) return;
	const text = /** @type {HTMLTextAreaElement} */ (find(`#${target.value}`));
	text.select();
	try {
		await navigator.clipboard.writeText(text.value);
		status.textContent = 'Copied.';
	} catch {
		// No secure address, or not allowed: the text is selected.
		status.textContent = 'Selected: copy it by the keyboard.';
	}
});
update();
