// Before anything is drawn: the theme's night where the visitor's system has it. style.css says .dark, as gradio does.
const night = matchMedia("(prefers-color-scheme: dark)");
const turn = () => document.documentElement.classList.toggle("dark", night.matches);
night.addEventListener("change", turn);
turn();
