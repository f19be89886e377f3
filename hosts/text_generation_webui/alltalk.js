// Starts each new reply's audio once, while it is still being made. The stored player is an ordinary
// <audio controls> that plays a file; without this script only the automatic start is missing.
(() => {
  "use strict";
  if (window.alltalkPlugin) return; // the page function may run again
  window.alltalkPlugin = true;

  const PLAYER = "audio.alltalk-player[data-alltalk]";
  const AUDIO_FILE = /^[0-9a-f]{32}\.(mp3|wav|flac|opus|ogg)$/;
  const STREAMED = { mp3: "audio/mpeg", wav: null, flac: null, opus: null, ogg: null };
  const seen = new Set(); // names asked about; what is asked once is never new again
  const stored = new WeakMap(); // player -> the src that the chat has for it, while we use another
  let playing = null; // { name, stop() }

  const quietly = (work) => {
    try {
      return work();
    } catch (error) {
      console.debug("alltalk:", error);
      return undefined;
    }
  };
  const nameOf = (player) => {
    const name = player.getAttribute("data-alltalk") || "";
    return AUDIO_FILE.test(name) ? name : null;
  };
  const liveUrl = (name) => "alltalk_plugin/audio/" + name; // relative: sub-paths and share links

  function stop() {
    const ended = playing;
    playing = null;
    if (ended) quietly(ended.stop);
  }

  // The host redraws the chat with morphdom, which would put the stored src back and end the playback.
  // It leaves elements alone that say they are equal already.
  function takeOver(player, name, src) {
    if (!stored.has(player)) stored.set(player, player.getAttribute("src"));
    player.isEqualNode = (other) =>
      Boolean(other && other.getAttribute && other.getAttribute("data-alltalk") === name);
    player.src = src;
  }

  // Back to the stored file, which is whole; nothing is loaded before somebody presses play.
  function giveBack(player, name) {
    const src = stored.get(player);
    stored.delete(player);
    delete player.isEqualNode;
    if (src && nameOf(player) === name) player.src = src; // else the host has drawn another player there
  }

  function begin(player, name, end) {
    stop();
    const current = {
      name,
      stop() {
        quietly(end);
        player.pause();
        giveBack(player, name);
      },
    };
    playing = current;
    player.addEventListener("ended", () => { if (playing === current) playing = null; }, { once: true });
    return current;
  }

  // play() may be refused by the browser; the player's own button is left then.
  const tryPlay = (player) => Promise.resolve(player.play()).catch((error) => console.debug("alltalk:", error));

  function playPlain(player, name) {
    begin(player, name, () => {});
    takeOver(player, name, liveUrl(name));
    return tryPlay(player);
  }

  // A plain <audio src> waits for about six seconds of a growing stream; MediaSource starts at once.
  function playStreamed(player, name, type) {
    const abort = new AbortController();
    const source = new MediaSource();
    const url = URL.createObjectURL(source);
    const finish = () => { if (source.readyState === "open") quietly(() => source.endOfStream()); };
    const current = begin(player, name, () => { abort.abort(); finish(); });
    takeOver(player, name, url);
    const feed = async () => {
      URL.revokeObjectURL(url);
      const buffer = source.addSourceBuffer(type);
      const response = await fetch(liveUrl(name), { signal: abort.signal });
      if (!response.ok) throw new Error("status " + response.status);
      const reader = response.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        await new Promise((resolve, reject) => {
          buffer.addEventListener("updateend", resolve, { once: true });
          buffer.addEventListener("error", reject, { once: true });
          buffer.appendBuffer(value);
        });
      }
      finish();
    };
    source.addEventListener("sourceopen", () => {
      feed().catch((error) => {
        if (abort.signal.aborted) return;
        console.debug("alltalk:", error);
        if (player.buffered.length) {
          finish(); // what came is played
        } else if (playing === current) {
          stop(); // the stored file may be there already
          tryPlay(player);
        }
      });
    }, { once: true });
    return tryPlay(player);
  }

  // WAV: 16 bit PCM behind 44 bytes of header, scheduled piece by piece.
  async function playPcm(player, name) {
    const abort = new AbortController();
    const context = new (window.AudioContext || window.webkitAudioContext)();
    const end = () => { abort.abort(); quietly(() => context.close()); };
    const current = begin(player, name, end);
    // The visible button takes over from us instead of playing on top.
    player.addEventListener("play", () => {
      if (playing === current) playing = null;
      end();
    }, { once: true });
    try {
      if (context.state === "suspended") await Promise.race([context.resume(), new Promise((r) => setTimeout(r, 300))]);
      if (context.state !== "running") throw new Error("not allowed to play");
      const response = await fetch(liveUrl(name), { signal: abort.signal });
      if (!response.ok) throw new Error("status " + response.status);
      const reader = response.body.getReader();
      let rest = new Uint8Array(0);
      let channels = 0;
      let rate = 0;
      let at = 0;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        let bytes = new Uint8Array(rest.length + value.length);
        bytes.set(rest);
        bytes.set(value, rest.length);
        if (!rate) {
          if (bytes.length < 44) { rest = bytes; continue; }
          const head = new DataView(bytes.buffer);
          if (head.getUint16(20, true) !== 1 || head.getUint16(34, true) !== 16) throw new Error("not 16 bit PCM");
          channels = head.getUint16(22, true);
          rate = head.getUint32(24, true);
          at = context.currentTime + 0.05;
          bytes = bytes.slice(44);
        }
        const frames = Math.floor(bytes.length / (2 * channels));
        rest = bytes.slice(frames * 2 * channels);
        if (!frames) continue;
        const samples = new DataView(bytes.buffer, bytes.byteOffset);
        const piece = context.createBuffer(channels, frames, rate);
        for (let channel = 0; channel < channels; channel += 1) {
          const into = piece.getChannelData(channel);
          for (let i = 0; i < frames; i += 1) into[i] = samples.getInt16(2 * (i * channels + channel), true) / 32768;
        }
        const node = context.createBufferSource();
        node.buffer = piece;
        node.connect(context.destination);
        at = Math.max(at, context.currentTime);
        node.start(at);
        at += piece.duration;
      }
      setTimeout(() => { if (playing === current) stop(); }, Math.max(0, 1000 * (at - context.currentTime)));
    } catch (error) {
      if (abort.signal.aborted) return;
      console.debug("alltalk:", error);
      quietly(() => context.close());
      if (playing === current) playing = null;
    }
  }

  function play(player, name) {
    const ending = name.split(".")[1];
    const type = STREAMED[ending];
    const supported = type && window.MediaSource && quietly(() => MediaSource.isTypeSupported(type));
    if (supported) return playStreamed(player, name, type);
    if (ending === "wav" && (window.AudioContext || window.webkitAudioContext)) return playPcm(player, name);
    return playPlain(player, name);
  }

  const find = (name) => document.querySelector(PLAYER + '[data-alltalk="' + name + '"]');

  async function askAbout(names) {
    const query = names.map((name) => "ask=" + encodeURIComponent(name)).join("&");
    const response = await fetch("alltalk_plugin/state?" + query, { cache: "no-store" });
    if (!response.ok) return;
    const state = await response.json();
    const fresh = names.filter((name) => state.new.includes(name));
    const player = fresh.length ? find(fresh[fresh.length - 1]) : null;
    if (state.autoplay && player) await play(player, fresh[fresh.length - 1]);
  }

  function look() {
    const names = [];
    document.querySelectorAll("#chat " + PLAYER).forEach((player) => {
      const name = nameOf(player);
      if (!name || seen.has(name)) return;
      seen.add(name);
      names.push(name);
    });
    // The newest is at the end; a long chat has many that are surely old.
    if (names.length) askAbout(names.slice(-4)).catch((error) => console.debug("alltalk:", error));
  }

  // The stored file may not be there yet, or be lost: then the service has the audio, if anybody has.
  // Errors of media do not bubble, they are caught on the way down.
  document.addEventListener("error", (event) => quietly(() => {
    const player = event.target;
    if (!player || !player.matches || !player.matches(PLAYER)) return;
    const name = nameOf(player);
    const src = player.getAttribute("src") || "";
    if (!name) return;
    if (src.startsWith("blob:") || src.startsWith("alltalk_plugin/")) {
      if (playing && playing.name === name) playing = null;
      giveBack(player, name);
      return;
    }
    takeOver(player, name, liveUrl(name));
    tryPlay(player);
  }), true);

  // Somebody presses another player: one voice at a time.
  document.addEventListener("play", (event) => quietly(() => {
    const player = event.target;
    if (!player || !player.matches || !player.matches(PLAYER)) return;
    if (playing && nameOf(player) !== playing.name) stop();
  }), true);

  document.addEventListener("click", (event) => quietly(() => {
    if (event.target && event.target.closest && event.target.closest("#stop")) stop();
  }), true);

  let generating = false;
  function watch() {
    const now = document.querySelector("._generating") !== null;
    if (now && !generating) stop(); // a new reply is on its way
    generating = now;
    if (playing && !find(playing.name)) stop(); // another chat is shown
    look();
  }

  // Not the chat itself: the host may draw it anew. Not by animation frames: those rest in a hidden tab.
  let due = false;
  function soon() {
    if (due) return;
    due = true;
    setTimeout(() => {
      due = false;
      quietly(watch);
    }, 20);
  }

  function attach(tries) {
    const chat = document.getElementById("chat");
    if (!chat) {
      if (tries > 0) setTimeout(() => quietly(() => attach(tries - 1)), 500);
      return;
    }
    const frame = chat.closest("#chat-tab") || document.body;
    const attributeFilter = ["class", "data-alltalk"]; // the host marks a reply in progress by a class
    new MutationObserver(soon).observe(frame, { childList: true, subtree: true, attributes: true, attributeFilter });
    watch();
  }
  quietly(() => attach(120));
})();
