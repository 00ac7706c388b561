/** The manifest, the types and the docs say what the code does: no more, no less. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const at = (path) => new URL(`../../${path}`, import.meta.url);
const read = (path) => readFileSync(at(path), 'utf8');
const sources = ['feed', 'dom', 'ticker'].flatMap((folder) =>
	readdirSync(at(`web/src/${folder}`)).map((name) => read(`web/src/${folder}/${name}`)),
);
const code = sources.join('\n');
const [{ declarations }] = JSON.parse(read('web/types/custom-elements.json')).modules;
const [ticker] = declarations;
const docs = read('docs/embedding.md');
const types = read('web/types/ticker.d.ts');

const names = (list) => list.map(({ name }) => name).sort();
const found = (text, pattern) =>
	[...new Set([...text.matchAll(pattern)].map(([, name]) => name))].sort();

test('every attribute is read, is a property, and is documented', () => {
	const settings = read('web/src/ticker/settings.js');
	const used = found(settings, /get\('([\w-]+)'\)/g);
	// The browser reads this one.
	assert.deepEqual(names(ticker.attributes), [...used, 'lang'].sort());
	assert.deepEqual(
		ticker.members.filter(({ reflects }) => reflects).map(({ attribute }) => attribute),
		ticker.attributes.filter(({ fieldName }) => fieldName).map(({ name }) => name),
	);
});

test('every part in the page is documented', () => {
	const parts = found(code, /part: '(\w+)'/g);
	const known = [
		...parts,
		'badge',
		'item',
		'new',
		'breaking',
		'pinned',
		'held',
		'killed',
		'day',
		'empty',
	];
	assert.deepEqual(names(ticker.cssParts), [...new Set(known)].sort());
});

test('every variable and event is documented', () => {
	assert.deepEqual(names(ticker.cssProperties), found(code, /var\((--ticker-\w+)/g));
	assert.deepEqual(
		names(ticker.events),
		[...found(read('web/src/ticker/ticker.js'), /emit\('(\w+)'/g), 'ended', 'error']
			.map((name) => `ticker-${name}`)
			.sort(),
	);
});

test('every method is there', () => {
	const methods = ticker.members.filter(({ kind }) => kind === 'method');
	const own = found(read('web/src/ticker/element.js'), /^\t(\w+)\(\) \{/gm);
	const lifecycle = ['constructor', 'connectedCallback', 'disconnectedCallback'];
	assert.deepEqual(
		names(methods),
		own.filter((name) => !lifecycle.includes(name)),
	);
});

test('docs and types name all of it', () => {
	const { attributes, cssParts, cssProperties, cssStates, events, members } = ticker;
	for (const { name } of [...attributes, ...cssParts, ...cssProperties, ...cssStates, ...events])
		assert.ok(docs.includes(`\`${name}\``), `docs/embedding.md lacks ${name}`);
	for (const { name } of [...attributes, ...events, ...members])
		assert.match(types, new RegExp(`\\b${name}\\b`), `ticker.d.ts lacks ${name}`);
});
