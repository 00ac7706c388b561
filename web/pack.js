/**
 * Makes the npm package of the ticker: `node web/pack.js FOLDER` writes what belongs in it there, for `npm pack` to pack.
 * Node, which renders pages for some frameworks, gets a module that does nothing: the element belongs in a browser.
 */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const root = new URL('../', import.meta.url);
const { version } = JSON.parse(await readFile(new URL('web/dist/manifest.json', root), 'utf8'));
const [folder] = process.argv.slice(2);
if (!folder) throw new Error('say which folder: node web/pack.js FOLDER');

const description = {
	name: 'live-ticker',
	version,
	description: 'A live news feed in any page: the element <live-ticker>.',
	license: 'MIT',
	type: 'module',
	exports: {
		'.': { types: './ticker.d.ts', node: './nothing.js', default: './ticker.js' },
		'./custom-elements.json': './custom-elements.json',
	},
	types: './ticker.d.ts',
	customElements: './custom-elements.json',
	sideEffects: true,
};

await mkdir(folder, { recursive: true });
const to = (name) => join(resolve(folder), name);
for (const path of [
	'web/dist/ticker.js',
	'web/dist/ticker.d.ts',
	'web/types/custom-elements.json',
	'LICENSE',
])
	await copyFile(new URL(path, root), to(path.split('/').at(-1)));
await copyFile(new URL('docs/embedding.md', root), to('README.md'));
await writeFile(to('nothing.js'), 'export {};\n');
await writeFile(to('package.json'), `${JSON.stringify(description, null, '\t')}\n`);
