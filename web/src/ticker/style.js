/**
 * The ticker's style sheet. Sizes are in em and colours come from the host's own text, so that it fits any page; what a host
 * may set is a `--ticker-*` variable. Parts are selected by their classes (dom/make.js).
 */
export default `
:host { display: block; height: var(--ticker-height, 28em) }
:host([layout=line]) { container-type: inline-size; contain-intrinsic-size: 28em; height: var(--ticker-height, 3em) }
:host([theme=light]) { color-scheme: light }
:host([theme=dark]) { color-scheme: dark }
:host([theme=auto]) { color-scheme: light dark }
:host([theme]:not([theme=inherit])) { color: CanvasText; --ticker-padding:1em; background: Canvas }
slot { display: block; height: 100%; overflow: auto }
.ticker {
	all: initial;
	display: grid;
	background: var(--ticker-background);
	grid: auto 1fr auto / 1fr auto;
	height: 100%;
	overflow-wrap: anywhere;
	padding: 0 var(--ticker-padding);
	color-scheme: inherit;
	color: var(--ticker-color, inherit);
	font-size: inherit;
	line-height: 1.5;
	align-items: center;
	font-family: var(--ticker-font, inherit);
	--accent:var(--ticker-accent,#c0281f);
	--line:color-mix(in srgb,currentColor 12%,#0000);
	--quiet:color-mix(in srgb,currentColor 90%,#0000);
	white-space: pre-line;
}
a { color: inherit }
p, li, ol, ul, blockquote { padding: 0; margin: 0; list-style: none }
.scroller > ol { padding: 0 0 2em }
[hidden], :not([hidden]) + slot { display: none !important }
button { all: unset; cursor: pointer; min-height: 24px }
:focus-visible { outline: 2px solid }
.scroller { border-top: 2px solid var(--line); max-height: var(--ticker-height, max(100vh, 28em)); position: relative; height: 100%; overflow: auto }
.status, .heading, .scroller { padding: 0 .2em }
[class^=head] a:not(:hover) { text-decoration: none }
.day::first-letter { text-transform: uppercase }
.day, button, .status, .credit, .meta { font-size: .8em }
[class^=head], ins, .stale .status, .pending, .breaking { font-weight: 700 }
.scroller, .pending { grid-area: 2/1/3/3 }
.pause { grid-area: 1/2 }
.badge, .pending, .pause { border: 1px solid var(--line); padding: 0 .8em; border-radius: 2em }
.badge { padding: 0 .2em; border-radius: .2em }
[class^=head] { font-size: 1.1em; line-height: 1.3 }
.summary { padding: .9em 0; border-bottom: 1px solid var(--line) }
summary { cursor: pointer; min-height: 24px; font-weight: 700 }
small { font-size: .8em; color: var(--quiet) }
.updated { text-decoration: underline }
cite, .updated, del, .status, .credit, .meta { color: var(--quiet) }
.pending, .breaking { background: var(--accent); color: #fff; border-color: var(--accent) }
.status { grid-row: 3 }
.day, .empty { padding: 1em 0 .3em }
.item { padding: .9em 0; border-top: 1px solid var(--line) }
.meta { flex-wrap: wrap; display: flex; gap: 0 .8em }
.item:first-child { border: 0 }
.heading, .pause { margin: .3em 0 }
blockquote, .changes, .correction, .note { font-size: .9em; border-inline-start: 2px solid var(--line); padding-inline-start: .8em }
.line { white-space: nowrap; grid: 1fr auto / fit-content(30%) 1fr }
.pending { z-index: 1; margin: -1em auto 0 }
.compact .item { padding: .3em 0 }
ins { background: var(--line) }
.meta ~ *, .body > *, blockquote > * + * { margin-top: .3em }
.body ul, .body ol { padding-inline-start: 1.5em }
.body ul > li { list-style: disc }
.body ol > li { list-style: decimal }
cite { display: block }
cite::before { content: "— " }
.live .status::before { color: var(--accent) }
.status::before { content: "● " }
.compact .headline { font: inherit }
.line article { align-items: baseline; display: flex; gap: .8em }
.line.live .status, .line .correction, .ended .empty { display: none }
.line .meta { flex: none }
.line .pending { grid-area: 1/3/3 }
[part~=new] { animation: 4s news }
.line ol { padding: 0 }
.line .pending, .line .pause { margin: 0; margin-inline-start: .8em }
.line .scroller { all: unset; grid-area: 1/2; overflow: hidden }
.line .status, .line a, .line [class^=head] { display: block; text-overflow: ellipsis; margin: 0; grid-area: 2/2; overflow: hidden }
.line .heading { grid-area: 1/1/3; margin-inline-end: .8em }
.line .pause { grid-area: 1/4/3 }
[role=status] { clip-path: inset(50%); position: fixed }
@keyframes news {
	0% { background: var(--line) }
}
@container (width<40em) {
	.line .heading, .line time { display: none }
	.live article { display: block }
}
@media print {
	:host { height: auto !important }
	button { display: none }
	.scroller { overflow: visible; max-height: none }
	.breaking { background: 0; color: inherit }
}
`;
