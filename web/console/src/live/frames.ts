/** Drawing at most once a frame, however many messages arrive in it. */

/** A page that is hidden has no frames, and its title still counts. */
const WITHOUT_FRAMES_MS = 250;

export function nextFrame(draw: () => void): void {
  let drawn = false;
  const once = (): void => {
    if (drawn) return;
    drawn = true;
    clearTimeout(timer);
    draw();
  };
  const timer = setTimeout(once, WITHOUT_FRAMES_MS);
  requestAnimationFrame(once);
}

/** A function to call after every change: `draw` follows, once for all calls until then. */
export function coalesced(draw: () => void, frame: (draw: () => void) => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    frame(() => {
      asked = false;
      draw();
    });
  };
}
