/**
 * The look. Sizes in em and colours from the host's own text, so that it sits well in any page;
 * what may differ is a `--ticker-*` variable.
 */
export default `
:host { display: block; height: var(--ticker-height, 28em) }
:host([layout=line]) { height: var(--ticker-height, 3em) }
:host([theme=light]) { color-scheme: light }
:host([theme=dark]) { color-scheme: dark }
:host([theme=auto]) { color-scheme: light dark }
:host([theme]:not([theme=inherit])) { background: Canvas; color: CanvasText; --ticker-padding: 1em }
slot { display: block; height: 100%; overflow: auto }
[part=ticker] {
	all: initial;
	--line:color-mix(in srgb, currentColor 18%, transparent);
	--quiet:color-mix(in srgb, currentColor 72%, transparent);
	--accent:var(--ticker-accent, #b3261e);
	display: grid;
	grid: auto 1fr auto / 1fr auto;
	align-items: center;
	height: 100%;
	padding-inline: var(--ticker-padding);
	color-scheme: inherit;
	color: var(--ticker-color, inherit);
	background: var(--ticker-background);
	font-size: inherit;
	font-family: var(--ticker-font, inherit);
	line-height: 1.5;
	overflow-wrap: anywhere;
}
[hidden] { display: none !important }
p, ol, li { margin: 0; padding: 0; list-style: none }
a { color: inherit; text-decoration-color: var(--quiet) }
button { all: unset; cursor: pointer; min-height: 24px }
:focus-visible { outline: .15em solid; outline-offset: -.1em }
button, [part=status], [part=day], [part=meta], [part=credit] { font-size: .8em }
[part=status], [part=meta], [part=credit], [part=updated], del { color: var(--quiet) }
[part=heading], [part=headline], [part=day], [part=pending], [part~=breaking], .stale [part=status], ins { font-weight: 700 }
[part=heading], [part=headline] { font-size: 1.1em; line-height: 1.3 }
[part=pause] { margin: .4em 0; padding: 0 .8em; border: 1px solid var(--line); border-radius: 2em }
[part=scroller], [part=pending] { grid-area: 2/1/3/3 }
[part=scroller] { height: 100%; position: relative; overflow: auto; border: solid var(--line); border-width: 2px 0 1px }
[part=pending] { z-index: 1; place-self: start center; margin: .6em; padding: 0 1em; border-radius: 2em }
[part=pending], [part~=breaking] { color: #fff; background: var(--accent); border: 1px solid var(--accent) }
[part=status] { grid-row: 3; padding: .3em 0 }
[part=status]::before { content: '● ' }
.live [part=status]::before { color: color-mix(in srgb, var(--accent), currentColor 30%) }
[part=day], [part=empty] { padding: 1.2em 0 .3em }
[part=day]::first-letter { text-transform: uppercase }
[part~=item] { padding: .9em 0; border-top: 1px solid var(--line) }
[part~=item]:first-child { border: 0 }
[part=meta], [part=credit] { display: flex; flex-wrap: wrap; gap: 0 .6em }
[part~=breaking] { padding: 0 .4em; border-radius: .2em }
[part=headline] a:not(:hover) { text-decoration: none }
[part=body] p, [part=changes] { white-space: pre-line }
[part=body] p, [part=headline] ~ * { margin-top: .4em }
[part=correction], [part=note], [part=changes] { padding-inline-start: .7em; border-inline-start: .2em solid var(--line); font-size: .9em }
[part=updated] { text-decoration: underline dotted }
ins { background: var(--line) }
.compact [part~=item] { padding: .4em 0 }
.compact [part=headline] { font-weight: 400; font-size: 1em }
.line { display: flex; gap: .8em }
.line [part=scroller] { flex: 1; border: 0; height: auto; overflow: hidden }
.line [part=pause] { order: 1 }
.line [part=pending] { place-self: auto; margin: 0 }
.line p { white-space: nowrap; flex-wrap: nowrap }
.line article { display: flex; gap: .8em }
.line [part=headline], .line a { display: block; margin: 0; overflow: hidden; text-overflow: ellipsis }
.line [part=correction], .line.live [part=status] { display: none }
[role=status] { position: absolute; top: 0; clip-path: inset(50%) }
[part~=new] { animation: news 4s }
@keyframes news { from { background: var(--line) } }
@media (width < 32em) { .line [part=heading], .line time { display: none } }
`;
