import type { Picture } from '../native.ts';
import { below, both, circle, type Colour, dark, paint, peak, type Shape } from './painting.ts';

const white: Colour = [255, 255, 255];

let painted: Promise<Picture[]> | undefined;

/** What is in everybody's album. */
export function album(): Promise<Picture[]> {
  painted ??= Promise.all([cat(), sunrise(), mountains()]);
  return painted;
}

async function cat(): Promise<Picture> {
  const orange: Colour = [245, 158, 66];
  const ear = (centreX: number): Shape => both(below(peak(centreX, 44, 2.1)), (_, y) => y - 110);
  const url = await paint(
    [186, 230, 253],
    [125, 196, 240],
    [
      [ear(86), orange],
      [ear(170), orange],
      [circle(128, 150, 84), orange],
      [circle(128, 184, 40), [255, 244, 228]],
      [circle(96, 138, 13), dark],
      [circle(160, 138, 13), dark],
      [circle(100, 133, 4), white],
      [circle(164, 133, 4), white],
      [circle(128, 168, 9), [232, 110, 110]],
    ],
  );
  return { name: '橘猫', url };
}

async function sunrise(): Promise<Picture> {
  const waves = (height: number, shift: number): Shape => below((x) => height + 5 * Math.sin((x + shift) / 17));
  const url = await paint(
    [76, 60, 140],
    [255, 176, 112],
    [
      [circle(128, 158, 52), [255, 236, 160]],
      [waves(160, 0), [70, 96, 170]],
      [waves(192, 30), [52, 76, 148]],
      [waves(224, 70), [38, 56, 120]],
    ],
  );
  return { name: '日出', url };
}

async function mountains(): Promise<Picture> {
  const jagged: Shape = (x, y) => y - 104 - 9 * Math.sin(x / 7);
  const url = await paint(
    [125, 190, 250],
    [224, 242, 254],
    [
      [circle(204, 54, 22), [255, 244, 190]],
      [below(peak(190, 96, 0.9)), [120, 146, 178]],
      [below(peak(104, 56, 1.05)), [82, 106, 140]],
      [both(below(peak(104, 56, 1.05)), jagged), white],
      [below((x) => 218 + 8 * Math.sin(x / 40)), [74, 140, 96]],
    ],
  );
  return { name: '雪山', url };
}
