// Every executor brings a team of threads that wait for each other: two at once on two cores would mostly wait.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
