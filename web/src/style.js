/**
 * The look. Sizes in em and colours from the host's own text, so that it sits well in any page;
 * what may differ is a `--ticker-*` variable. Parts are known by their classes (dom.js). Selectors and declarations stand in
 * the order that compresses best, which saves 30 bytes.
 */
export default `
:host { display: block; height: var(--ticker-height, 28em) }
:host([layout=line]) { height: var(--ticker-height, 3em); container-type: inline-size; contain-intrinsic-size: 20em }
:host([theme=light]) { color-scheme: light }
:host([theme=dark]) { color-scheme: dark }
:host([theme=auto]) { color-scheme: light dark }
:host([theme]:not([theme=inherit])) { color: CanvasText; background: Canvas; --ticker-padding:1em }
slot { display: block; height: 100%; overflow: auto }
.ticker {
	all: initial;
	--accent:var(--ticker-accent,#b3261e);
	--line:color-mix(in srgb,currentColor 18%,#0000);
	--quiet:color-mix(in srgb,currentColor 72%,#0000);
	color-scheme: inherit;
	display: grid;
	height: 100%;
	grid: auto 1fr auto / 1fr auto;
	align-items: center;
	background: var(--ticker-background);
	color: var(--ticker-color, inherit);
	font-size: inherit;
	line-height: 1.5;
	white-space: pre-line;
	font-family: var(--ticker-font, inherit);
	padding: 0 var(--ticker-padding);
	overflow-wrap: anywhere;
}
[hidden], :not([hidden]) + slot { display: none !important }
li, ol, p { margin: 0; padding: 0; list-style: none }
a { text-decoration-color: var(--quiet); color: inherit }
button { all: unset; cursor: pointer; min-height: 24px }
:focus-visible { outline: .15em solid }
button, .status, .day, .credit, .meta { font-size: .8em }
.updated, .status, del, .credit, .meta { color: var(--quiet) }
ins, .day, .pending, .breaking, .stale .status, [class^=head] { font-weight: 700 }
[class^=head] { line-height: 1.3; font-size: 1.1em }
[class^=head] a:not(:hover) { text-decoration: none }
.heading, .pause { margin: .3em 0 }
.heading, .scroller { padding: 0 .2em }
.pending, .scroller { grid-area: 2/1/3/3 }
.scroller { max-height: var(--ticker-height, max(100vh, 28em)); position: relative; height: 100%; overflow: auto; border: solid var(--line); border-width: 2px 0 1px }
.badge, .pending, .pause { border: 1px solid var(--line); padding: 0 .8em; border-radius: 2em }
.badge { padding: 0 .3em; border-radius: .2em }
.held { border: 1px dashed }
.pending { margin: -1em auto auto; z-index: 1 }
.pending, .breaking { background: var(--accent); color: #fff; border: 1px solid var(--accent) }
.status { padding: .3em; grid-row: 3 }
.status::before { content: "● " }
.live ::before { color: var(--accent) }
.empty, .day { padding: 1.2em 0 .3em }
.day::first-letter { text-transform: uppercase }
.item { padding: .9em 0; border-top: 1px solid var(--line) }
.item:first-child { border: 0 }
.meta { flex-wrap: wrap; display: flex; gap: 0 .6em }
.meta ~ *, .body p { margin-top: .3em }
.note, .changes, .correction { font-size: .9em; border-inline-start: .2em solid var(--line); padding-inline-start: .8em }
.updated { text-decoration: underline dotted }
ins { background: var(--line) }
.compact .item { padding: .3em 0 }
.compact .headline { font: inherit }
.line, .line article { white-space: nowrap; display: flex; gap: .8em }
.line article { align-items: baseline }
.line .scroller { flex: 1; height: auto; border: 0; overflow: hidden }
.line .heading, .line .status { max-width: 30% }
.line .pause { order: 1 }
.line .meta { flex: none }
.line .pending { margin: 0 }
.line .status, .line [class^=head], .line a { display: block; margin: 0; text-overflow: ellipsis; overflow: hidden }
.line.live .status, .line .correction { display: none }
[role=status] { clip-path: inset(50%); position: fixed }
[part~=new] { animation: 4s news }
@keyframes news {
	0% { background: var(--line) }
}
@container (width<40em) {
	.line .heading, .line time { display: none }
}
@media print {
	:host { height: auto !important }
	.scroller { max-height: none; overflow: visible }
	button { display: none }
	.breaking { background: 0; color: inherit }
}
`;
