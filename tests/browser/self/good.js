document.getElementById("told").textContent = "A script ran.";
