/** Whether a click on a link asks the browser for another tab or window, or to keep what it leads to. @param {MouseEvent} event */
export const isForBrowser = ({ ctrlKey, metaKey, shiftKey, altKey, button }) =>
	ctrlKey || metaKey || shiftKey || altKey || button > 0;
