/**
 * What a ticker's attributes ask for. One that is missing or makes no sense is the default.
 *
 * @import { Settings } from '../../types/parts.d.ts'
 */

/** All but `lang`, which each element has. */
const ATTRIBUTES =
	'announce heading heading-level layout max mode order paused src summary tags theme time timezone transport'.split(
		' ',
	);

const DEFAULT_MAX = 50;
const DEFAULT_LEVEL = 2;

/**
 * Make a property of each attribute, with the value that a page gave it before the script came. Null, undefined and false
 * remove the attribute.
 *
 * @param {any} host
 */
export function reflect(host) {
	for (const name of ATTRIBUTES) {
		const property = name.replace('-l', 'L');
		const before = host[property];
		/** @param {unknown} value */
		const set = (value) =>
			value || value === ''
				? host.setAttribute(name, value === true ? '' : value)
				: host.removeAttribute(name);
		Object.defineProperty(host, property, { get: () => read(host, name), set });
		if (before !== undefined) set(before);
	}
}

/** Frameworks write `paused="false"` for what is not paused. @param {HTMLElement} host @param {string} name of an attribute @returns {any} */
function read(host, name) {
	const value = host.getAttribute(name);
	return /paused|summary/.test(name) ? (value ?? 'false') !== 'false' : value;
}

/** @param {HTMLElement} host @returns {Settings} */
export function settingsOf(host) {
	/** @param {string} name */
	const get = (name) => read(host, name);
	const isStatic = get('mode') === 'static';
	const layout = get('layout') ?? 'list';
	/** @type {string[]} */
	const tags = get('tags')?.split(',') ?? [];
	return {
		src: get('src'),
		transport: isStatic ? 'poll' : get('transport'),
		isStatic,
		onDemand: get('mode') === 'notify',
		paused: get('paused'),
		layout,
		line: layout === 'line',
		tags: tags.map((tag) => tag.trim()).filter(Boolean),
		max: Math.max(1, Number(get('max')) || DEFAULT_MAX),
		summarized: get('summary'),
		oldestFirst: get('order') === 'oldest',
		announced: get('announce'),
		heading: get('heading'),
		level: Number(/^[1-6]$/.exec(`${get('heading-level')}`) ?? DEFAULT_LEVEL),
		time: get('time'),
		timezone: get('timezone'),
	};
}
