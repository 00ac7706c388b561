/**
 * What stands around the list: the page's title, the feed's title and description, and what only machines read.
 *
 * @import { Feed, Item } from '../../types/wire.d.ts'
 */

/** Take the words of a withdrawn item from where only machines read them. */
export function removeDescription() {
	const read = 'script[type="application/ld+json"], meta[name=description], meta[property]';
	for (const element of document.querySelectorAll(read)) element.remove();
	const name = document.querySelector('.masthead .name');
	if (name) document.title = `${name.textContent}`;
}

/** Name the page and its feed as they are named now. @param {Feed | undefined} feed @param {Item} [item] the one that the page is of */
export function rename(feed, item) {
	if (item?.headline) document.title = item.headline;
	const title = document.querySelector('.masthead :is(h1, .name) a');
	if (!feed || !title) return;
	const former = `${title.textContent}`;
	if (former !== feed.title) {
		title.textContent = feed.title;
		if (!item) document.title = document.title.replace(former, () => feed.title);
	}
	const about = document.querySelector('.about');
	const { description = '' } = feed;
	if (about && about.textContent !== description) about.textContent = description;
}
