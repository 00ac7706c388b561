/** Search and tags, behind a button of the bar: opened, closed, and kept to the tags that the list has. */
import { make } from '../dom/make.js';

/** As many tags at most, as the server shows. */
const TAGS = 12;

/**
 * Take over the panel that the server rendered.
 *
 * @param {HTMLElement} list
 */
export function takeOverFind(list) {
	const find = /** @type {HTMLDetailsElement} */ (document.getElementById('find'));
	const tags = document.getElementById('tags');
	const close = () => {
		find.open = false;
	};
	find.addEventListener('toggle', () => {
		if (find.open) find.querySelector('input')?.focus();
	});
	find.addEventListener('keydown', ({ key }) => {
		if (key !== 'Escape') return;
		close();
		find.querySelector('summary')?.focus();
	});
	document.addEventListener('pointerdown', ({ target }) => {
		if (!find.contains(/** @type {Node} */ (target))) close();
	});
	return {
		/** Show the tags of what is in the list: a withdrawn item's are words that go, too. */
		paint() {
			if (!tags) return;
			const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (
				list.querySelectorAll('.item .tags a')
			);
			/** @type {Map<string, number>} */
			const counts = new Map();
			for (const { textContent } of links)
				counts.set(`${textContent}`, (counts.get(`${textContent}`) ?? 0) + 1);
			const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, TAGS);
			const shown = [...tags.querySelectorAll('a')].map((link) => link.textContent);
			if (`${shown}` === `${most.map(([tag]) => tag)}`) return;
			const focused = tags.contains(document.activeElement);
			tags.replaceChildren(
				...most.map(([tag]) => {
					const href = `${list.dataset.src}?tag=${encodeURIComponent(tag)}`;
					return make('li', {}, make('a', { href, rel: 'tag', dir: 'auto' }, tag));
				}),
			);
			if (focused) find.querySelector('summary')?.focus();
		},
	};
}
