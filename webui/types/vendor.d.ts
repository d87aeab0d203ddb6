// SPDX-License-Identifier: Apache-2.0
// What the pages use of others' modules; webui/site puts those into lib/.

declare module "*/lib/preact.js" {
	export interface VNode { type: unknown; props: unknown }
	export type Node = VNode | string | number | boolean | null | undefined | Node[];
	export function h(type: unknown, props: object | null, ...children: Node[]): VNode;
	export function render(node: Node, parent: Element): void;
}
declare module "*/lib/hooks.js" {
	export function useState<T>(initial: T | (() => T)): [T, (next: T | ((was: T) => T)) => void];
	export function useEffect(fn: () => void | (() => void), inputs?: unknown[]): void;
	export function useLayoutEffect(fn: () => void | (() => void), inputs?: unknown[]): void;
	export function useRef<T>(initial: T): { current: T };
	export function useMemo<T>(fn: () => T, inputs: unknown[]): T;
}
declare module "*/lib/htm.js" {
	import { VNode } from "*/lib/preact.js";
	const htm: { bind(h: unknown): (parts: TemplateStringsArray, ...values: unknown[]) => VNode };
	export default htm;
}
declare module "*/lib/uplot.js" {
	export default class uPlot {
		constructor(options: object, data: number[][], parent: Element);
		setData(data: number[][]): void;
		setSize(size: { width: number, height: number }): void;
		destroy(): void;
	}
}
declare module "*/lib/tables_ja.js" {
	export const sentences: Record<string, string>;
	export const drops: Record<string, string>;
}
