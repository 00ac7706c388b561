/** The npm package, packed and installed as a site does it, without a registry. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));

function run(folder, command, ...given) {
	const { status, stdout, stderr } = spawnSync(command, given, { cwd: folder, encoding: 'utf8' });
	assert.equal(status, 0, `${command} ${given}: ${stdout}${stderr}`);
	return stdout;
}

test('the package that npm packs and installs defines the element in browsers, does nothing in Node, and has types', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'package-'));
	try {
		const made = join(folder, 'made');
		run(root, 'node', 'web/pack.js', made);
		const packed = run(made, 'npm', 'pack', '--silent').trim();
		const site = join(folder, 'site');
		mkdirSync(site);
		writeFileSync(join(site, 'package.json'), '{ "private": true, "type": "module" }');
		run(site, 'npm', 'install', '--offline', '--silent', '--no-audit', join(made, packed));
		const installed = (name) => readFileSync(join(site, 'node_modules/live-ticker', name), 'utf8');
		assert.equal(installed('ticker.js'), readFileSync(join(root, 'web/dist/ticker.js'), 'utf8'));
		assert.match(installed('README.md'), /^# Embedding the ticker/);

		const script = "import 'live-ticker';\n";
		const stdin = { contents: script, resolveDir: site };
		const options = { bundle: true, write: false, format: 'esm', target: 'es2022' };
		const { outputFiles } = await build({ stdin, platform: 'browser', ...options });
		assert.match(outputFiles[0].text, /customElements\.define\("live-ticker"/);
		run(site, 'node', '--input-type=module', '--eval', script);

		const typed = `${script}import type { LiveTicker } from 'live-ticker';
			const ticker: LiveTicker = document.createElement('live-ticker');
			ticker.max = 100;`;
		writeFileSync(join(site, 'main.ts'), typed);
		const compiler = [
			'--strict',
			'--noEmit',
			'--module',
			'esnext',
			'--moduleResolution',
			'bundler',
		];
		run(site, join(root, 'node_modules/.bin/tsc'), ...compiler, '--types', '', 'main.ts');
	} finally {
		rmSync(folder, { recursive: true });
	}
});
