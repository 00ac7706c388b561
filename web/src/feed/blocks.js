/**
 * The words of bodies, whatever blocks they are made of.
 *
 * @import { Span } from '../../types/wire.d.ts'
 */

/** @param {any} value @returns {value is Span} */
const isSpan = (value) => typeof (value?.text ?? value) === 'string';

/** Tell whether a value is a list of spans. @param {any} value @returns {value is Span[]} */
export const isSpans = (value) => Array.isArray(value) && value.every(isSpan);

/** Tell whether a value is a list of lists of spans. @param {any} value @returns {value is Span[][]} */
export const isParagraphs = (value) => Array.isArray(value) && value.every(isSpans);

/** The words of a block, as lines: one for each paragraph, entry, or text in a block of an unknown kind. @param {any} value @returns {string[]} */
export function linesOf(value) {
	if (isSpan(value)) return [textOf(value)];
	if (isSpans(value) && value[0] && !value.some(isSecondString))
		return [value.map(textOf).join('')];
	return value instanceof Object ? Object.values(value).flatMap(linesOf) : [];
}

/** @param {Span} span */
const textOf = (span) => /** @type {{ text: string }} */ (span).text ?? span;

/** Two plain strings never stand side by side in a paragraph, where they would be one: these are the cells of a table, say. @param {Span} span @param {number} i @param {Span[]} spans */
const isSecondString = (span, i, spans) => typeof span + typeof spans[i - 1] === 'stringstring';
