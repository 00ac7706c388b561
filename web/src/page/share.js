/**
 * Hands an item on: by the device's own way where it has one, else its address is copied. What is handed on is the item's own
 * page, which has its own preview, and is gone once the item is withdrawn.
 *
 * @import { PageWords } from '../../types/page.d.ts'
 */
import { make } from '../dom/make.js';

/** How long it is shown that the address was copied, in ms. */
const SHOWN_MS = 3000;

/**
 * Let the share buttons in a list work.
 *
 * @param {HTMLElement} list
 * @param {string} src the feed page
 * @param {PageWords} words
 * @param {(text: string) => void} announce
 */
export function takeOverSharing(list, src, words, announce) {
	// Until now they could do nothing, and were not shown.
	document.documentElement.classList.add('scripted');
	const bubble = make('span', { class: 'said', 'aria-hidden': 'true' });
	list.addEventListener('click', async ({ target }) => {
		const button = /** @type {Element} */ (target).closest('.share');
		const row = button?.closest('article');
		if (!button || !row) return;
		const url = new URL(`${src}/items/${row.dataset.id}`, location.href).href;
		const title = row.querySelector('.headline')?.textContent?.trim() ?? '';
		if (await handOn({ title, url })) return;
		const text = (await copy(url)) ? words.copied : words.uncopied;
		bubble.textContent = text;
		button.after(bubble);
		announce(text);
		setTimeout(() => bubble.remove(), SHOWN_MS);
	});
}

/** Let the device hand it on; false where it cannot. @param {ShareData} data */
async function handOn(data) {
	try {
		await navigator.share(data);
		return true;
	} catch (fault) {
		// The reader thought better of it; anything else is that there is no such way.
		return /** @type {Error} */ (fault).name === 'AbortError';
	}
}

/** @param {string} text */
async function copy(text) {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		// Over plain http there is no clipboard but by a selection.
		const field = make('textarea', { class: 'quiet', readonly: '' });
		const { activeElement } = document;
		field.value = text;
		document.body.append(field);
		field.select();
		const copied = document.execCommand('copy');
		field.remove();
		/** @type {HTMLElement | null} */ (activeElement)?.focus({ preventScroll: true });
		return copied;
	}
}
