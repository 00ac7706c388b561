/**
 * What a ticker's attributes ask for. One that is missing or makes no sense is the default.
 *
 * @import { Settings } from '../../types/ticker.d.ts'
 */

const DEFAULT_MAX = 50;
const DEFAULT_LEVEL = 2;

/** @param {HTMLElement} host @returns {Settings} */
export function settingsOf(host) {
	/** @param {string} name */
	const get = (name) => host.getAttribute(name);
	const isStatic = get('mode') === 'static';
	const layout = get('layout') ?? 'list';
	const tags = get('tags')?.split(',') ?? [];
	return {
		src: get('src'),
		transport: isStatic ? 'poll' : get('transport'),
		isStatic,
		onDemand: get('mode') === 'notify',
		paused: host.hasAttribute('paused'),
		layout,
		line: layout === 'line',
		tags: tags.map((tag) => tag.trim()).filter(Boolean),
		max: Math.max(1, Number(get('max')) || DEFAULT_MAX),
		summarized: host.hasAttribute('summary'),
		oldestFirst: get('order') === 'oldest',
		announced: get('announce'),
		heading: get('heading'),
		level: Number(/^[1-6]$/.exec(`${get('heading-level')}`) ?? DEFAULT_LEVEL),
		time: get('time'),
		timezone: get('timezone'),
	};
}
