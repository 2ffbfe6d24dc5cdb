struct WrongSize {
    struct Parameters {
        ernie::Truncation limits;
        float more;
    };
};
