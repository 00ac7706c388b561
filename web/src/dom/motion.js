/** Moves rows without a jump: one layout, one frame, and transforms for the rest. */

const SLIDE_MS = 280;
/** A slide that has not ended by then, as on a very busy machine, is taken for ended. */
const LIMIT_MS = 3000;

/** Move the focus without scrolling to it. */
export const QUIETLY = { preventScroll: true };

const reducedMotion = matchMedia('(prefers-reduced-motion)');

let slides = 0;

/** Tell whether rows still slide: what moves them again before they rest is counted as a layout shift. */
export const isSliding = () => slides;

/**
 * Make `nodes` the list's children and let what stays slide from where it stood. The focus stays where it was, or goes to
 * what the list stands in. What is read stays in its place: the first row in sight of a reader who has scrolled, else the row
 * with the focus.
 *
 * @param {HTMLElement} scroller the positioned, scrolling parent
 * @param {HTMLElement} list
 * @param {HTMLElement[]} nodes
 * @param {(() => void)[]} writes what else changes in the nodes
 * @param {(node: Element) => boolean} [isBeside] whether a row stands in a column beside the others
 */
export function slide(scroller, list, nodes, writes, isBeside) {
	const children = /** @type {HTMLElement[]} */ ([...list.children]);
	const tops = new Map(children.map((node) => [node, node.offsetTop]));
	const { scrollTop } = scroller;
	const focused = /** @type {HTMLElement | null} */ (list.querySelector(':focus'));
	const anchor = children.find((node) =>
		scrollTop
			? list.offsetTop + node.offsetTop + node.offsetHeight > scrollTop && !isBeside?.(node)
			: node.contains(focused),
	);

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
	// WebKit keeps no scroll anchor of its own, and Firefox drops its own when the row that it holds to slides. A reader at the
	// top does not follow a row that leaves the screen, as when it is unpinned.
	if (moved && (scrollTop || moved < innerHeight)) scroller.scrollTop = scrollTop + moved;
	const scrolled = scroller.scrollTop - scrollTop;
	const steps = nodes.map((node) => {
		const former = tops.get(node);
		return former === undefined ? 0 : former - node.offsetTop + scrolled;
	});
	animate(scroller, list, nodes, steps);
}

/** Let what `write` changes above elements of a scroller push them away without a jump. @param {HTMLElement} scroller @param {Element[]} elements the first one is next to what changes @param {() => void} write */
export function pushDown(scroller, elements, write) {
	const topOf = () => elements[0].getBoundingClientRect().top;
	const top = topOf();
	const { scrollTop } = scroller;
	write();
	const by = topOf() - top;
	// Who has scrolled past it keeps their place, also where the browser has no scroll anchor.
	if (by && top < Math.max(0, scroller.getBoundingClientRect().top)) scroller.scrollTop += by;
	else if (by && scroller.scrollTop === scrollTop)
		for (const element of elements)
			waitFor(element.animate({ transform: [`translateY(${-by}px)`, 'none'] }, timing()));
}

// Under reduced motion nothing is seen to move; the one frame keeps browsers from counting a layout shift.
const timing = () => ({ duration: reducedMotion.matches ? 1 : SLIDE_MS, easing: 'ease-out' });

/** Let the rows in sight slide from where they stood. @param {HTMLElement} scroller @param {HTMLElement} list @param {HTMLElement[]} nodes @param {number[]} steps how far each stood from where it is, in px */
function animate(scroller, list, nodes, steps) {
	const { top } = list.getBoundingClientRect();
	const box = scroller.getBoundingClientRect();
	const from = Math.max(0, box.top) - top;
	const to = Math.min(innerHeight, box.bottom) - top;
	const seen = nodes.map(({ offsetTop, offsetHeight }, i) => {
		/** @param {number} at */
		const isInSight = (at) => at < to && at + offsetHeight > from;
		return steps[i] && (isInSight(offsetTop) || isInSight(offsetTop + steps[i]));
	});
	/** @type {Animation | undefined} */
	let last;
	nodes.forEach((node, i) => {
		if (seen[i])
			last = node.animate({ transform: [`translateY(${steps[i]}px)`, 'none'] }, timing());
	});
	if (last) waitFor(last);
}

/** Count a slide until it rests. @param {Animation} animation */
function waitFor(animation) {
	slides++;
	let sliding = true;
	const end = () => {
		if (!sliding) return;
		sliding = false;
		// They rest once that frame is painted.
		requestAnimationFrame(() => setTimeout(() => slides--));
	};
	// By the animation's own end, which is late on a busy machine, or when the page cancels it.
	animation.finished.then(end, end);
	setTimeout(end, LIMIT_MS);
}
