/** A room with places for a few at once, and for fewer of each. */
export interface Places {
  /** Takes a place and gives back how to leave it; null when the room is full, or full of the same one. */
  take(whose: string): (() => void) | null;
}

export function createPlaces({ max, maxEach }: { max: number; maxEach: number }): Places {
  const takenBy = new Map<string, number>();
  let taken = 0;

  return {
    take(whose) {
      const theirs = takenBy.get(whose) ?? 0;
      if (taken >= max || theirs >= maxEach) return null;
      taken += 1;
      takenBy.set(whose, theirs + 1);
      return () => {
        taken -= 1;
        const left = (takenBy.get(whose) ?? 0) - 1;
        if (left > 0) takenBy.set(whose, left);
        else takenBy.delete(whose);
      };
    },
  };
}
