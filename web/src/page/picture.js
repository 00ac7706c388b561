/**
 * The pictures of a page: the whole of each is shown over the page, and words in place of one that does not come.
 *
 * @import { PageWords } from '../../types/page.d.ts'
 */
import { make } from '../dom/make.js';
import { isSliding, pushDown } from '../dom/motion.js';
import { isForBrowser } from './clicks.js';

/**
 * Take over the pictures in a list, and their links to the whole of them.
 *
 * @param {HTMLElement} list
 * @param {PageWords} words
 */
export function takeOverPictures(list, words) {
	const image = make('img');
	const dialog = make(
		'dialog',
		{ class: 'picture', 'aria-label': words.whole },
		make('button', { type: 'button' }, words.close),
		image,
	);
	document.body.append(dialog);
	/** The item whose picture is shown. @type {string | undefined} */
	let shown;
	list.addEventListener('click', (event) => {
		const link = /** @type {Element} */ (event.target).closest('a');
		const small = link?.matches('.whole') ? link.querySelector('img') : undefined;
		// One that did not come has no more to show.
		if (!link || !small?.naturalWidth || isForBrowser(event)) return;
		event.preventDefault();
		shown = link.closest('article')?.dataset.id;
		image.src = link.href;
		image.alt = small.alt;
		dialog.showModal();
	});
	dialog.addEventListener('click', () => dialog.close());
	dialog.addEventListener('close', () => {
		shown = undefined;
		for (const name of ['src', 'alt']) image.removeAttribute(name);
	});
	// An error does not bubble, and some have come before this.
	list.addEventListener('error', ({ target }) => fail(/** @type {Element} */ (target)), true);
	for (const small of list.querySelectorAll('img'))
		if (small.complete && !small.naturalWidth) fail(small);
	return {
		isOpen: () => dialog.open,
		/** Close the picture, if it is of this item. @param {number} id */
		retract(id) {
			if (shown === `${id}`) dialog.close();
		},
		close: () => dialog.close(),
	};
}

/** Put the words of a picture in its place, without a jump, once nothing moves. @param {Element} element */
function fail(element) {
	const link = element.closest('.whole');
	if (!link?.isConnected) return;
	if (isSliding()) {
		requestAnimationFrame(() => fail(element));
		return;
	}
	const below = allBelow(link).filter((each) => {
		const { top, height } = each.getBoundingClientRect();
		const moves = getComputedStyle(each).position !== 'absolute';
		return moves && height && top < 2 * innerHeight;
	});
	const write = () => {
		const words = /** @type {HTMLImageElement} */ (element).alt;
		if (words) link.replaceWith(make('p', { class: 'alt', dir: 'auto' }, words));
		else (link.nextElementSibling ? link : link.parentElement)?.remove();
	};
	// With nothing in reach below it, nothing moves that is seen.
	if (below.length) pushDown(/** @type {HTMLElement} */ (document.scrollingElement), below, write);
	else write();
}

/** What stands below an element, inside of whatever it is in. @param {Element} element @returns {Element[]} */
function allBelow(element) {
	const next = [];
	for (let each = element.nextElementSibling; each; each = each.nextElementSibling) next.push(each);
	const { parentElement } = element;
	return parentElement && parentElement !== document.body
		? [...next, ...allBelow(parentElement)]
		: next;
}
