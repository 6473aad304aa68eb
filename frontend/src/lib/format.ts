import { LANGUAGE } from "../texts";

const number = (digits: number) => new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: digits });

/** A file size: 812 kB, 3.4 MB. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  if (count < 999_500) return `${number(0).format(count / 1000)} kB`;
  return `${number(1).format(count / 1_000_000)} MB`;
}

/** A duration: 0.8 s, 12 s, 2 min 5 s. At least 0.1 s. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(100, milliseconds) / 1000;
  if (seconds < 9.95) return `${number(1).format(seconds)} s`;
  const rounded = Math.round(seconds);
  return rounded < 60 ? `${rounded} s` : `${Math.floor(rounded / 60)} min ${rounded % 60} s`;
}

/** Remaining time: 23 h 59 min, 12 min, less than a minute. */
export function timeLeft(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) return "less than a minute";
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const percent = (fraction: number) => `${Math.round(fraction * 100)} %`;
export const pixels = (width: number, height: number) => `${number(0).format(width)} × ${number(0).format(height)}`;
