/** Moves rows without a jump: one layout, one frame, and transforms for the rest. */

const SLIDE_MS = 280;

/** Move the focus without scrolling to it. */
export const QUIETLY = { preventScroll: true };

const reducedMotion = matchMedia('(prefers-reduced-motion)');

let slides = 0;

/** Tell whether rows still slide: what moves them again before they rest is counted as a layout shift. */
export const isSliding = () => slides;

/**
 * Make `nodes` the list's children and let what stays slide from where it stood. The focus stays where it was, or goes to
 * what the list stands in.
 *
 * @param {HTMLElement} scroller the positioned, scrolling parent
 * @param {HTMLElement} list
 * @param {HTMLElement[]} nodes
 * @param {(() => void)[]} writes what else changes in the nodes
 */
export function slide(scroller, list, nodes, writes) {
	const children = /** @type {HTMLElement[]} */ ([...list.children]);
	const tops = new Map(children.map((node) => [node, node.offsetTop]));
	const { scrollTop } = scroller;
	const focused = /** @type {HTMLElement | null} */ (list.querySelector(':focus'));
	const anchor = scrollTop
		? children.find((node) => list.offsetTop + node.offsetTop + node.offsetHeight > scrollTop)
		: undefined;

	for (const node of children) if (!nodes.includes(node)) node.remove();
	nodes.forEach((node, i) => {
		const there = list.children[i];
		if (there !== node) list.insertBefore(node, there);
	});
	// A row that moves loses the focus, and one that goes takes it along.
	focused?.focus(QUIETLY);
	for (const write of writes) write();
	if (focused && !list.querySelector(':focus')) list.parentElement?.focus(QUIETLY);

	const moved = anchor?.isConnected ? anchor.offsetTop - (tops.get(anchor) ?? 0) : 0;
	// WebKit keeps no scroll anchor of its own, and Firefox drops its own when the row that it holds to slides.
	if (moved) scroller.scrollTop = scrollTop + moved;
	// Under reduced motion nothing is seen to move; the one frame keeps browsers from counting a layout shift.
	const timing = { duration: reducedMotion.matches ? 1 : SLIDE_MS, easing: 'ease-out' };
	const steps = nodes.map(
		(node) => (tops.get(node) ?? node.offsetTop - moved) - node.offsetTop + moved,
	);
	/** @type {Animation | undefined} */
	let last;
	nodes.forEach((node, i) => {
		if (steps[i]) last = node.animate({ transform: [`translateY(${steps[i]}px)`, 'none'] }, timing);
	});
	if (!last) return;
	slides++;
	// By the animation's own end, which is late on a busy machine; and they rest once that frame is painted.
	last.onfinish = () => requestAnimationFrame(() => setTimeout(() => slides--));
}
