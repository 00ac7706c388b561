/** The title of a hidden tab says how many items wait in it. */

/** Take over the page's title. */
export function takeOverTitle() {
	let prefix = '';
	return {
		/** Say that so many items wait; 0: none. @param {number} count */
		paint(count) {
			const { title } = document;
			const own = prefix && title.startsWith(prefix) ? title.slice(prefix.length) : title;
			prefix = count ? `(${count}) ` : '';
			if (title !== prefix + own) document.title = prefix + own;
		},
	};
}
