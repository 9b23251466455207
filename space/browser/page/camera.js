// The camera: frames as fast as they can be painted.
const video = document.querySelector("#photo video");
let stream = null;

export const isOn = () => stream !== null;

export async function start() {
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, facingMode: "user" } });
  } catch {
    throw new Error("there is no camera, or this page may not use it");
  }
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
}

export function stop() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = video.srcObject = null;
  video.hidden = true;
}

// What it sees now, as a photo.
export const frame = async () => ({ name: "camera", bitmap: await createImageBitmap(video) });
