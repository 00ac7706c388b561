/**
 * Builds the files in web/dist that the server serves: ticker.js, the one file that sites embed; manifest.json, its version
 * and hash; ticker.d.ts, its types; page.js, embed.js and configure.js, the scripts of our own pages; frame.js, for pages
 * that frame tickers; and strings/, the words that the ticker
 * fetches.
 * `node web/build.js` writes them. `--check` fails when they are out of date or too big. `--release` also keeps the ticker as
 * ticker-<version>.js, for the sites that pin it: from then on it cannot change.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { build, transform } from 'esbuild';
import { minify } from 'terser';

/** Bytes of ticker.js, gzipped, that docs/embedding.md promises at most. */
const LIMIT = 10_240;

/** Properties of our own objects, in no message, event or DOM interface that the ticker uses: they get short names. */
const PRIVATE =
	/^(alone|announce|announced|apiUrl|arrived|askAgain|before|beside|canceled|changes|connect|dated|day|disconnect|element|floor|historyOf|ids|isStatic|kept|kind|label|layout|level|line|mismatches|newEpoch|nowAt|oldestFirst|onDemand|paint|pending|reach|retract|retry|revisions|revisionsOf|shown|snapshot|state|subscribe|summarized|timeMode|times|transport|unknown|upToDateAt|versions|words)$/;

const here = (path) => new URL(path, import.meta.url);
const target = ['es2022'];

/** Minifies the style sheet inside its module. */
const minifyStyle = {
	name: 'style',
	setup({ onLoad }) {
		onLoad({ filter: /style\.js$/ }, async ({ path }) => {
			const { default: css } = await import(path);
			const { code } = await transform(css, { loader: 'css', minify: true, charset: 'utf8' });
			return {
				contents: `export default ${JSON.stringify(code.trim().replaceAll(/ ?([,<]) /g, '$1'))}`,
			};
		});
	},
};

async function version() {
	const project = await readFile(here('../pyproject.toml'), 'utf8').catch(() => '');
	return /^version\s*=\s*"(.+)"/m.exec(project)?.[1] ?? '0.1.0';
}

async function bundle() {
	const { outputFiles } = await build({
		entryPoints: [here('src/ticker/main.js').pathname],
		bundle: true,
		format: 'esm',
		minifySyntax: true,
		charset: 'utf8',
		target,
		plugins: [minifyStyle],
		write: false,
		legalComments: 'none',
	});
	// Terser saves another 5 %.
	const { code } = await minify(outputFiles[0].text, {
		module: true,
		ecma: 2020,
		compress: {
			passes: 5,
			keep_fargs: false,
			pure_getters: true,
			unsafe_arrows: true,
			// Joins strings by +, which differs from a template only for objects with a valueOf.
			unsafe: true,
			unsafe_methods: true,
			hoist_funs: true,
			if_return: false,
			sequences: false,
			booleans: false,
			inline: 2,
			conditionals: false,
			unsafe_math: true,
			unsafe_comps: true,
		},
		mangle: { properties: { regex: PRIVATE, builtins: true } },
	});
	return Buffer.from(`${code}\n`);
}

/** Bundle a script of our own pages. */
async function pageScript(source, format = 'esm') {
	const { outputFiles } = await build({
		entryPoints: [here(`src/${source}`).pathname],
		bundle: true,
		format,
		minify: true,
		charset: 'utf8',
		target,
		write: false,
		legalComments: 'none',
	});
	return outputFiles[0].text;
}

/** Join the types of the element and of what the server sends into one file that needs no other. */
async function types() {
	const read = (name) => readFile(here(`types/${name}`), 'utf8');
	const [ticker, wire] = await Promise.all(['ticker.d.ts', 'wire.d.ts'].map(read));
	return `${ticker.replace(/^import .*\n+/m, '')}\n${wire}`;
}

const script = await bundle();
const number = await version();
const sri = `sha384-${createHash('sha384').update(script).digest('base64')}`;
const size = gzipSync(script, { level: 9 }).length;
const files = new Map([
	['ticker.js', `${script}`],
	['manifest.json', `${JSON.stringify({ version: number, sri })}\n`],
]);
files.set('ticker.d.ts', await types());
for (const name of await readdir(here('strings')))
	if (name.endsWith('.json')) {
		const words = JSON.parse(await readFile(here(`strings/${name}`), 'utf8'));
		files.set(`strings/${name}`, JSON.stringify(words));
	}
files.set('page.js', await pageScript('page/main.js'));
files.set('embed.js', await pageScript('ticker/embed.js'));
files.set('configure.js', await pageScript('ticker/configure.js'));
files.set('frame.js', await pageScript('ticker/frame.js', 'iife'));

console.log(`ticker.js ${script.length} bytes, ${size} gzipped of ${LIMIT}`);
if (size > LIMIT) {
	console.error(`ticker.js is ${size - LIMIT} bytes over its limit`);
	process.exitCode = 1;
}
const kept = `ticker-${number}.js`;
const before = await readFile(here(`dist/${kept}`), 'utf8').catch(() => undefined);
if (before !== undefined && before !== `${script}`) {
	console.error(`${kept} is released and cannot change: raise the version in pyproject.toml`);
	process.exitCode = 1;
} else if (process.argv.includes('--release')) files.set(kept, `${script}`);
await mkdir(here('dist/strings'), { recursive: true });
for (const [name, content] of files) {
	const file = here(`dist/${name}`);
	if (!process.argv.includes('--check')) await writeFile(file, content);
	else if ((await readFile(file, 'utf8').catch(() => '')) !== content) {
		console.error(`web/dist/${name} is out of date: run npm run build`);
		process.exitCode = 1;
	}
}
