"""The rim: HTTP over the runtime. The only asynchronous code; everything below it is threads."""
