/**
 * "More news": the next older items of the same list, in place. Its link is followed only where the page cannot go on.
 *
 * @import { Older } from '../../types/feed.d.ts'
 */
import { make } from '../dom/make.js';
import { isForBrowser } from './clicks.js';

/**
 * Take over the link to older items.
 *
 * @param {HTMLAnchorElement} link
 * @param {string} fault what to say when they cannot be loaded
 * @param {() => Promise<Older>} load
 * @param {(older: Older, byKeyboard: boolean) => void} show
 * @param {(text: string) => void} announce
 */
export function takeOverOlder(link, fault, load, show, announce) {
	const note = make('span', { class: 'fault', hidden: '' }, fault);
	link.after(note);
	let isBusy = false;
	link.addEventListener('click', async (event) => {
		if (isForBrowser(event)) return;
		event.preventDefault();
		if (isBusy) return;
		isBusy = true;
		link.ariaBusy = 'true';
		note.hidden = true;
		try {
			const older = await load();
			if (older.outcome === 'replaced') location.assign(link.href);
			else show(older, !event.detail);
		} catch {
			note.hidden = false;
			announce(fault);
		}
		isBusy = false;
		link.ariaBusy = null;
	});
	return {
		/** Show the link or not, and let it lead to where the older items start. @param {boolean} shown @param {string} next */
		paint(shown, next) {
			link.hidden = !shown;
			if (!next) return;
			const address = new URL(link.href);
			address.searchParams.set('before', next);
			link.href = address.href;
		},
	};
}
