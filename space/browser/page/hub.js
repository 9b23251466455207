// A style that somebody shares on the Hub, by its name: asked for when the visitor says so, never before. It is looked at as
// zoo/trust.py looks at what strangers send, and tried, before it hangs on the wall.
const NAME = /^(?!.*(\.\.|--))\w[\w.-]{0,95}\/\w[\w.-]{0,95}$/;
const PATIENCE = 120_000, TRIAL = 60_000; // ms, for all of its files; for painting a little with it
const SIZES = [[67, 45], [96, 128]]; // px; a generator takes any

// The style owner/name, as the wall has them. Throws an Error whose words the visitor may read.
export async function bring(name, { address, files, limits, width }, builds) {
  if (!NAME.test(name)) throw new Error("A style of the Hub is called owner/name, of letters, digits and . _ - alone.");
  const { host } = new URL(address), signal = AbortSignal.timeout(PATIENCE), generators = {};
  const away = () => {
    throw new Error(`${host} cannot be reached, or its answer broke off: try again with a network.`);
  };

  async function read(norm, kind, absent) {
    const file = files[norm][kind], asked = { signal, referrerPolicy: "no-referrer" }; // it need not know where this page lies
    const answer = await fetch(`${address}/${name}/resolve/main/${file}`, asked).catch(away);
    if ([401, 403, 404].includes(answer.status)) throw new Error(absent);
    if (!answer.ok) throw new Error(`${host} fails (status ${answer.status}): try again later.`);
    const parts = [], reader = answer.body.getReader();
    let size = 0;
    for (let next; !(next = await reader.read().catch(away)).done; parts.push(next.value)) {
      size += next.value.length;
      if (size <= limits[kind]) continue;
      reader.cancel();
      throw new Error(`${name}: ${file} has more than ${limits[kind] / 2 ** 20} MiB, more than a style needs.`);
    }
    return new Blob(parts);
  }

  async function check(norm, absent) {
    const config = await read(norm, "config", absent).then((blob) => blob.text());
    const { norm: said, width: wide = 0 } = parse(config) ?? {};
    if (said !== norm) throw new Error(`${name} is no style of this kind: its ${files[norm].config} does not tell of ${norm} norm.`);
    if (!(wide <= width)) throw new Error(`${name}: its generator has width ${Number(wide)}; styles of others may have ${width}.`);
  }

  await check("instance", `${host} has no style ${name} that everybody may see.`);
  await check("batch", `${name} has no batch-norm twin, beside which this page shows it.`);
  try {
    for (const norm in files) {
      const onnx = await read(norm, "onnx", `${name} has no ${files[norm].onnx} for browsers: its owner adds it by python -m zoo publish --onnx.`);
      generators[norm] = URL.createObjectURL(onnx);
    }
    await tryOut(builds, Object.values(generators)).catch(({ message }) => {
      throw new Error(`${name} does not paint here: ${message.slice(0, 200)}`);
    });
  } catch (error) {
    Object.values(generators).forEach((one) => URL.revokeObjectURL(one));
    throw error;
  }
  const by = `shared on ${host}`;
  return { slug: name.replace("/", "--"), title: name, by, about: credit(`${address}/${name}`, name, by), painting: null, generators };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// Whether these paint, in a worker of its own: one that takes forever, or all memory, is ended with it.
async function tryOut(builds, generators) {
  const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  const ask = (message) =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data: { on, error = on?.error } }) => (error ? reject(new Error(error)) : resolve());
      worker.onerror = () => reject(new Error("the painter stopped"));
      worker.postMessage(message);
    });
  const late = new Promise((_, reject) => setTimeout(reject, TRIAL, new Error("it takes too long")));
  const paint = async () => {
    await ask({ builds, generator: generators[0], wanted: "cpu", threads: 1 });
    for (const generator of generators) for (const size of SIZES) await ask({ generator, picture: noise(...size) });
  };
  try {
    await Promise.race([paint(), late]);
  } finally {
    worker.terminate();
  }
}

function noise(width, height) {
  const picture = new ImageData(width, height);
  crypto.getRandomValues(picture.data);
  return picture;
}

// Who shares it, as text: of what strangers write nothing becomes HTML.
function credit(address, name, by) {
  const words = document.createElement("p"), link = document.createElement("a");
  link.href = address;
  link.textContent = name;
  words.append(link, `, ${by}. Nobody has looked at it first.`);
  return words;
}
