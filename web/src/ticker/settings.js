/**
 * What a ticker's attributes ask for, and their properties. One that is missing or makes no sense is the default.
 *
 * @import { Settings } from '../../types/parts.d.ts'
 */

const DEFAULT_MAX = 50;
/** More rows than this would make any page slow. */
const MAX = 500;
const DEFAULT_LEVEL = 2;

/** @param {any} host @param {(name: string) => any} get reads an attribute @returns {Settings} */
export function settingsOf(host, get = (name) => read(host, name)) {
	const mode = get('mode');
	const isStatic = mode === 'static';
	const transport = get('transport');
	const layout = get('layout') ?? 'list';
	const line = layout === 'line';
	/** @type {string[]} */
	const tags = get('tags')?.split(',') ?? [];
	const max = Math.max(1, Number(get('max')) || DEFAULT_MAX);
	// Which is read by the style sheet alone.
	get('theme');
	return {
		src: get('src'),
		transport: isStatic ? 'poll' : transport,
		isStatic,
		onDemand: mode === 'notify',
		paused: get('paused'),
		layout,
		line,
		tags: tags.map((tag) => tag.trim()).filter(Boolean),
		max: line ? 1 : Math.min(MAX, max),
		summarized: get('summary'),
		oldestFirst: get('order') === 'oldest',
		announced: get('announce'),
		heading: get('heading'),
		level: Number(/^[1-6]$/.exec(`${get('heading-level')}`) ?? DEFAULT_LEVEL),
		time: get('time'),
		timezone: get('timezone'),
	};
}

/**
 * Make a property of each attribute that is read, with the value that a page gave it before the script came. Null, undefined
 * and false remove the attribute.
 *
 * @param {any} host
 */
export const reflect = (host) =>
	settingsOf(host, (name) => {
		const property = name.replace('-l', 'L');
		const before = host[property];
		/** @param {unknown} value */
		const set = (value) =>
			value || value === ''
				? host.setAttribute(name, value === true ? '' : value)
				: host.removeAttribute(name);
		Object.defineProperty(host, property, { get: () => read(host, name), set });
		if (before !== undefined) set(before);
	});

/** Frameworks write `paused="false"` for what is not paused. @param {HTMLElement} host @param {string} name of an attribute @returns {any} */
function read(host, name) {
	const value = /** @type {any} */ (host.getAttribute(name));
	return /paused|summary/.test(name) ? !/false|null/.test(value) : value;
}
