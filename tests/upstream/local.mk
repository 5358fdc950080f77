# simulated APIs
