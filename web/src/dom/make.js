/** Makes elements as the strictest Content-Security-Policy and Trusted Types allow: never from HTML. */

/**
 * Make an element; undefined attributes, and children that are not there, are left out.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean | undefined>} [attributes]
 * @param {...(Node | string | false | undefined | null)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, ...children) {
	const element = document.createElement(tag);
	for (const name in attributes) {
		const value = /** @type {string} */ (attributes[name]);
		if (value !== undefined) element.setAttribute(name, value);
		// The style sheet selects parts by their classes, which is shorter.
		if (name === 'part') element.className = value;
	}
	element.append(.../** @type {Node[]} */ (children.filter(Boolean)));
	return element;
}
