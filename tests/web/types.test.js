/** The types that sites take along compile by themselves, with React and with Vue, and so do the examples of the docs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
	copyFileSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const docs = readFileSync(join(root, 'docs/embedding.md'), 'utf8');

/** The docs' examples in a language; scripts that stand in HTML are JavaScript, too. */
const examples = (language) =>
	[...docs.matchAll(/^```(\w+)\n(.*?)^```/gms)].flatMap(([, kind, code]) => {
		if (kind === language) return [code];
		if (kind !== 'html' || language !== 'js') return [];
		return [...code.matchAll(/<script[^>]*>(.+?)<\/script>/gs)].map(([, script]) => script);
	});

/** Compile files beside ticker.d.ts, as a site does, with these packages at hand; returns what the compiler says. */
function compile(files, packages, options) {
	const folder = mkdtempSync(join(tmpdir(), 'types-'));
	try {
		copyFileSync(join(root, 'web/dist/ticker.d.ts'), join(folder, 'ticker.d.ts'));
		for (const name of packages) {
			const to = join(folder, 'node_modules', name);
			mkdirSync(join(to, '..'), { recursive: true });
			symlinkSync(join(root, 'node_modules', name), to);
		}
		for (const [name, code] of Object.entries(files)) writeFileSync(join(folder, name), code);
		const compilerOptions = {
			target: 'es2022',
			module: 'esnext',
			moduleResolution: 'bundler',
			lib: ['es2023', 'dom'],
			strict: true,
			checkJs: true,
			noEmit: true,
			types: [],
			...options,
		};
		writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
		return spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' })
			.stdout;
	} finally {
		rmSync(folder, { recursive: true });
	}
}

const SCRIPT = `
import type { Item, LiveTicker } from './ticker.d.ts';
const ticker = document.querySelector('live-ticker')!;
ticker.max = 100;
ticker.tags = ['a', 'b'];
ticker.paused = false;
const same: LiveTicker = document.createElement('live-ticker');
ticker.addEventListener('ticker-item', ({ detail }) => detail.item.headline satisfies string | undefined);
addEventListener('ticker-status', ({ detail }) => detail.status === 'stale');
customElements.get('live-ticker')!.strings.en.live = 'On air';
const titles = (items: Item[]) => items.map(({ headline }) => headline);
// @ts-expect-error no such layout
ticker.layout = 'wide';
// @ts-expect-error an item has no title
addEventListener('ticker-item', ({ detail }) => detail.item.title);
// @ts-expect-error no such word
customElements.get('live-ticker')!.strings.en.hello = 'Hello';
`;

test('without any framework the types compile, strictly, and so does every script of the docs', () => {
	const scripts = examples('js');
	assert.ok(scripts.length >= 2);
	const files = Object.fromEntries(scripts.map((code, i) => [`example${i}.mjs`, code]));
	const lone = { ...files, 'script.ts': SCRIPT };
	assert.equal(compile(lone, [], { exactOptionalPropertyTypes: true }), '');
});

test('in TSX the tag of React has its attributes, its events and its element', () => {
	const written = examples('tsx');
	assert.ok(written.length >= 1);
	const files = Object.fromEntries(written.map((code, i) => [`example${i}.tsx`, code]));
	files['more.tsx'] = `
const one = <live-ticker src="/feeds/world" heading-level={3} max="10" paused={false} tags={['a']} className="wide" />;
const two = <live-ticker src="/feeds/world" onticker-item={({ detail }) => detail.item.tags?.length} key={1} />;
// @ts-expect-error it needs an address
const three = <live-ticker />;
// @ts-expect-error no such mode
const four = <live-ticker src="/feeds/world" mode="loud" />;
`;
	const packages = ['@types/react', 'csstype'];
	assert.equal(compile(files, packages, { jsx: 'react-jsx' }), '');
});

test('in templates of Vue the tag has its attributes and its events', () => {
	const [, script] = /```vue\n<script setup lang="ts">\n(.*?)<\/script>/s.exec(docs);
	const code = `
import type { GlobalComponents } from 'vue';
type Props = InstanceType<GlobalComponents['live-ticker']>['$props'];
const props: Props = { src: '/feeds/world', paused: false, max: 10, onTickerItem: ({ detail }) => detail.first };
// @ts-expect-error no such layout
const wrong: Props = { src: '/feeds/world', layout: 'wide' };
`;
	const packages = ['vue', '@vue', 'csstype', '@babel/types', '@babel/parser'];
	assert.equal(compile({ 'props.ts': code, 'script.ts': script }, packages), '');
});
